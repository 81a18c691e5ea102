// SPDX-License-Identifier: Apache-2.0
// The family remote: a model behind an OpenAI-compatible endpoint, asked for
// the label in words. Its parameters, for those who make candidates of it.
#pragma once

namespace modicum {

inline constexpr char kRemoteFamily[] = "remote";
// libmodicum-remote.so.
inline constexpr char kRemoteModule[] = "remote";

inline constexpr char kRemoteName[] = "name";         // of the endpoint
inline constexpr char kRemoteUrl[] = "url";           // ".../v1"
inline constexpr char kRemoteModel[] = "model";       // as the endpoint says
inline constexpr char kRemoteKey[] = "key";           // a variable's name
inline constexpr char kRemotePriceIn[] = "price_in";  // a million tokens
inline constexpr char kRemotePriceOut[] = "price_out";
inline constexpr char kRemoteCurrency[] = "currency";
// Joules a token, 90 % interval.
inline constexpr char kRemoteInLow[] = "joules_in_low";
inline constexpr char kRemoteInHigh[] = "joules_in_high";
inline constexpr char kRemoteOutLow[] = "joules_out_low";
inline constexpr char kRemoteOutHigh[] = "joules_out_high";
inline constexpr char kRemoteParallel[] = "parallel";     // requests at a time
inline constexpr char kRemoteTimeout[] = "timeout_s";     // of a request
inline constexpr char kRemoteMostSpent[] = "most_spent";  // by one process
inline constexpr char kRemoteTemplate[] = "template";
inline constexpr char kRemoteWord[] = "word:";  // + a label

// What a model of unknown size takes where nothing is said, joules a token at
// the wall: open models from 8 to 405 billion parameters on H100s, at batches
// from 8 to as many as fit, take 0.07 to 14 J of GPU energy for a token they
// write (ML.ENERGY benchmark v3, 2025); a facility's whole energy is about 1.7
// times its accelerators' (Google 2025, median prompt: 0.24 of 0.14 Wh).
// Reading a token takes 2 FLOP a parameter, about 1.1 pJ each: 0.009 to 0.45 J
// of GPU energy for the same models.
inline constexpr double kAssumedOutLow = 0.12;
inline constexpr double kAssumedOutHigh = 24;
inline constexpr double kAssumedInLow = 0.015;
inline constexpr double kAssumedInHigh = 1.5;

}  // namespace modicum
