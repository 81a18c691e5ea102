// SPDX-License-Identifier: Apache-2.0
// Neural networks from GGUF files, run in this process: what commands and
// families stand on. Behind it is the module libmodicum-ggml.so, the only code
// that knows ggml and llama.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/phase.h"
#include "base/result.h"
#include "base/units.h"
#include "model/head_kind.h"
#include "model/model.h"

namespace modicum {

using TokenId = int32_t;
using TokenIds = std::vector<TokenId>;

// What keys and values may be kept as.
inline constexpr std::string_view kKeyValueTypes[] = {
    "f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"};

// How a network is run: its speed, memory and joules, not its answers (but for
// `lora`).
struct NeuralSettings {
  int threads = 0;        // of decoding; 0: every CPU this process may use
  int batch_threads = 0;  // of prefill and encoding; 0: as `threads`
  int context = 0;        // tokens a sequence; 0: as trained
  int sequences = 1;      // in one batch, at most
  int batch = 2048;       // tokens a call, at most
  int micro_batch = 512;  // tokens a graph, at most
  std::string kv_type = "f16";           // one of kKeyValueTypes
  std::string flash_attention = "auto";  // on, off
  // Who multiplies matrices for a `bert` that is opened for vectors: OpenBLAS
  // ("on": it is an error where that cannot be; "auto": where it can and the
  // weights are not quantized, for it needs them in single precision) or
  // llama.cpp ("off").
  std::string blas = "auto";
  int poll = 50;          // 0 (sleep) to 100 (spin): waiting threads
  std::string cpus = {};  // "0,2-3": threads stay on them; "": anywhere
  bool repack = true;     // weights rearranged for the CPU while loading
  int gpu_layers = -1;    // that GPUs hold, where there are any; -1: all
  // LoRA adapters, each FILE or FILE:SCALE: what the network was taught beside
  // its weights. These do change its answers.
  std::vector<std::string> lora = {};
  // Only Embed and Classify will be called: no keys and values are kept, and
  // the memory for them is not asked for.
  bool vectors = false;
};

struct NeuralInfo {
  std::string path;
  std::string engine, engine_version;  // "llama.cpp", "v0.5.0"
  std::string architecture;            // "llama", "bert"
  std::string name;                    // general.name, may be empty
  std::string file_type;               // "Q4_K - Medium"
  uint64_t parameters = 0;
  Bytes bytes;  // of the tensors
  // What computes, beside the CPU: "NVIDIA L4 (CUDA0)". Empty: the CPU alone.
  std::vector<std::string> gpus;
  uint32_t layers = 0, width = 0;
  uint32_t context_trained = 0;
  uint32_t context = 0;  // tokens a sequence, as opened
  uint32_t vocabulary = 0;
  bool generates = false;  // has a decoder: Generate and Logits work
  // Of a classification head (Classify works), in the order of its outputs.
  std::vector<std::string> labels;
  std::optional<TokenId> beginning;  // what Tokenize puts before a text
  std::optional<TokenId> end;        // of a text
};

struct GenerateOptions {
  uint32_t max_tokens = 128;
  double temperature = 0;  // 0: the likeliest token, always
  int top_k = 40;          // of those only; 0: all
  double top_p = 0.95;
  double min_p = 0.05;
  bool ignore_end = false;  // goes on where the network would end
  CallOptions call = {};    // stop, seed, deadline
};

struct Generation {
  TokenIds tokens;  // without the one that ended it
  std::string text;
  enum class End { kEndToken, kLength, kContext, kStopped, kDeadline } end{};
};

// What importance each column of a tensor has: the mean square of what it is
// multiplied with. Of a tensor of several matrices, one after the other.
struct Importance {
  std::string tensor;
  std::vector<float> values;
};

// Thread safety: one call at a time.
class NeuralModel {
 public:
  virtual ~NeuralModel() = default;
  virtual const NeuralInfo& info() const = 0;

  // UTF-8 to tokens; `special` adds what the network wants around a text. What
  // looks like a control token in the text is text.
  virtual Result<TokenIds> Tokenize(std::string_view text,
                                    bool special) const = 0;
  // A query and a document in one, as a reranker reads them. kUnavailable where
  // the network is none: Classify then has no single output.
  virtual Result<TokenIds> TokenizePair(std::string_view query,
                                        std::string_view document) const = 0;
  // The bytes a token stands for; they may end inside a character.
  virtual std::string Piece(TokenId token) const = 0;

  // Continues `prompt` (at least one token). `on_text` gets whole UTF-8
  // characters as they come, U+FFFD for bytes that become none, and so does
  // Generation::text; false stops. kInvalidInput when the prompt does
  // not fit the context, kInterrupted at a stop; a deadline ends the
  // generation. Reports kPrefill, kDecode and a step per forward pass.
  virtual Result<Generation> Generate(
      std::span<const TokenId> prompt, const GenerateOptions& options,
      const std::function<bool(std::string_view)>& on_text,
      PhaseSink& sink) = 0;

  // Natural logits over the vocabulary after each token from index `from` on:
  // visit(i, logits) sees what the network says of token i + 1. One sequence,
  // fresh context. kInvalidInput when it does not fit.
  virtual Status Logits(
      std::span<const TokenId> tokens, size_t from, const CallOptions& call,
      const std::function<void(size_t, std::span<const float>)>& visit,
      PhaseSink& sink) = 0;

  // The natural log-likelihood of each continuation after `prompt`, both of at
  // least one token. A prefix shared with the last call's prompt is not
  // computed again.
  virtual Result<std::vector<double>> LogLikelihoods(
      std::span<const TokenId> prompt, std::span<const TokenIds> continuations,
      const CallOptions& call, PhaseSink& sink) = 0;

  // Over `text`, cut into chunks of 512 tokens (or the context), of which it
  // needs one; what is left over at its end is not read.
  virtual Result<std::vector<Importance>> MeasureImportance(
      std::span<const TokenId> text, const CallOptions& call,
      PhaseSink& sink) = 0;

  // One vector of `width` a text, pooled as the network says (the mean where
  // it says nothing), of length 1 when `normalize`. Batched by length, in
  // order. A text longer than the context is cut there, but for its last
  // token.
  virtual Result<std::vector<std::vector<float>>> Embed(
      std::span<const TokenIds> texts, bool normalize, const CallOptions& call,
      PhaseSink& sink) = 0;

  // One logit per info().labels a text. kUnavailable without such a head.
  virtual Result<std::vector<std::vector<float>>> Classify(
      std::span<const TokenIds> texts, const CallOptions& call,
      PhaseSink& sink) = 0;
};

// A text, or two in one, and the tokens of it that are asked about.
struct AskedText {
  TokenIds tokens = {};
  // From this token on they are of the second text; 0: there is one text.
  uint32_t second = 0;
  std::vector<uint32_t> places = {};  // empty: every token

  // Tokens that are asked about.
  size_t rows() const { return places.empty() ? tokens.size() : places.size(); }
};

// What stands around texts and in the place of a hidden token.
struct TextMarks {
  std::optional<TokenId> begin = {}, separator = {}, mask = {}, unknown = {};
};

// What an encoder makes of a text before it reads it.
class PieceSource {
 public:
  virtual ~PieceSource() = default;
  // The word pieces of a text alone, without marks around. What looks like a
  // mark in the text is text.
  virtual Result<TokenIds> Pieces(std::string_view text) const = 0;
  virtual TextMarks marks() const = 0;
  virtual uint32_t context() const = 0;  // tokens at once, marks included
};

// An encoder with a head that says something of each token.
// Thread safety: one call at a time.
class HeadedEncoder : public PieceSource {
 public:
  // Its labels are those of token classification.
  virtual const NeuralInfo& info() const = 0;
  virtual HeadKind kind() const = 0;
  uint32_t context() const override { return info().context; }

  // What a piece stands for; the first of a word begins with a space.
  virtual std::string Piece(TokenId token) const = 0;

  // For each text, in order, one row of logits a place: over the vocabulary,
  // over the labels, or that an answer begins and that it ends there. Read
  // together as the tokens that one forward pass takes allow it, by length,
  // without filling up. kInvalidInput for a text that is empty or longer than
  // the context. Reports kPrefill and a step per forward pass.
  virtual Result<std::vector<std::vector<float>>> Logits(
      std::span<const AskedText> texts, const CallOptions& call,
      PhaseSink& sink) = 0;
};

struct QuantizeOptions {
  std::string type = {};  // "q4_k_m": see GgufFileTypes()
  int threads = 0;        // 0: every CPU
  std::vector<Importance> importance = {};
  // Types of single tensors, by a regular expression over their names.
  std::vector<std::pair<std::string, std::string>> tensor_types = {};
  bool requantize = false;  // of what is quantized already
  bool pure = false;        // every tensor of the one type
  std::stop_token stop = {};
};

struct HeadJob;

// How files that nobody vouches for are tried before this process loads them.
struct NetworkGuard {
  // Started as `program try-network FILE [ADAPTER...]`, without network and
  // with limits; "": nothing is tried.
  std::string program = {};
  std::string known = {};  // file that lists what passed
};
inline constexpr char kTryNetwork[] = "try-network";

class NeuralEngine {
 public:
  virtual ~NeuralEngine() = default;
  virtual std::string_view name() const = 0;     // "llama.cpp"
  virtual std::string_view version() const = 0;  // "v0.5.0"

  // `progress` gets the share that is loaded. Validated before the library
  // sees it; kInvalidInput names what is wrong, kUnavailable what memory is
  // missing.
  virtual Result<std::unique_ptr<NeuralModel>> Open(
      const std::string& path, const NeuralSettings& settings,
      const std::function<void(double)>& progress, const CallOptions& call,
      PhaseSink& sink) = 0;
  // The body at `path` with the head beside it; see gguf/head_file.h. As Open;
  // kUnavailable also where there is no head. Computed in single precision.
  virtual Result<std::unique_ptr<HeadedEncoder>> OpenHeaded(
      const std::string& path, const NeuralSettings& settings,
      const CallOptions& call, PhaseSink& sink) = 0;
  // From now on Open tries files first.
  virtual void SetGuard(NetworkGuard guard) = 0;
  // What the child does: gives up what it needs no more, loads the network, the
  // first of `files`, with the others as its adapters, computes one token,
  // sends what is wrong to its standard output, and ends.
  [[noreturn]] virtual void TryAndEnd(std::span<const std::string> files) = 0;
  // Whether a classifier can be trained on the body of the network at `path`.
  // kInvalidInput says what is wrong or not supported.
  virtual Status CheckEncoderBase(const std::string& path) = 0;
  // Trains an encoder with a head and writes both; see model/head_job.h.
  virtual Status TrainHead(const HeadJob& job, PhaseSink& sink) = 0;
  // Writes `to` whole or not at all.
  virtual Status Quantize(const std::string& from, const std::string& to,
                          const QuantizeOptions& options) = 0;
};

// Of every engine that is opened from now on, and of the one that is open.
// Thread-safe.
void GuardNetworks(NetworkGuard guard);
// Opens the module once. Thread-safe. kUnavailable when it is not installed,
// with how to build it.
Result<NeuralEngine*> FindNeuralEngine();

inline constexpr char kNeuralModule[] = "ggml";
// What the module exports beside its families' engine (model/module.h).
inline constexpr char kNeuralFactory[] = "modicum_neural";
using NeuralFactory = NeuralEngine* (*)();

}  // namespace modicum
