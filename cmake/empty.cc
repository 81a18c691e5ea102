// SPDX-License-Identifier: Apache-2.0
// The source of targets that have headers alone.
