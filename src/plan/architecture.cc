// SPDX-License-Identifier: Apache-2.0
// Parameters by family, as the reference implementations in transformers lay
// them out: every matrix, bias and norm is counted, so that the sums are exact.
#include "plan/architecture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/csv.h"
#include "base/suggest.h"
#include "data/model_architectures.h"

namespace modicum {
namespace {

// How a family departs from LLaMA: gated feed-forward, no biases, RMS norms.
struct Family {
  std::string_view type;
  bool gated = true;
  bool biases = false;       // on every matrix
  bool qkv_bias = false;     // on Q, K and V
  bool layer_norm = false;   // norms have a bias
  int norms = 2;             // per layer
  bool head_norms = false;   // of Q and K, head_dim each
  bool tied = false;         // unless the config says otherwise
  int extra_positions = -1;  // >= 0: a learned table, this many rows more
  bool embedding_norm = false;
  bool final_norm = true;
  bool encoder = false;  // BERT: no output matrix, pooler
};

constexpr std::array<Family, 22> kFamilies{{
    {.type = "llama"},
    {.type = "mistral"},
    {.type = "mixtral"},
    {.type = "phi3"},
    {.type = "qwen2", .qkv_bias = true},
    {.type = "qwen2_moe", .qkv_bias = true},
    {.type = "qwen3", .head_norms = true},
    {.type = "qwen3_moe", .head_norms = true},
    {.type = "gemma", .tied = true},
    {.type = "gemma2", .norms = 4, .tied = true},
    {.type = "gemma3_text", .norms = 4, .head_norms = true, .tied = true},
    {.type = "deepseek_v2"},
    {.type = "deepseek_v3"},
    {.type = "jamba"},
    {.type = "phi",
     .gated = false,
     .biases = true,
     .layer_norm = true,
     .norms = 1},
    {.type = "gpt2",
     .gated = false,
     .biases = true,
     .layer_norm = true,
     .tied = true,
     .extra_positions = 0},
    {.type = "opt",
     .gated = false,
     .biases = true,
     .layer_norm = true,
     .tied = true,
     .extra_positions = 2},
    {.type = "bloom",
     .gated = false,
     .biases = true,
     .layer_norm = true,
     .tied = true,
     .embedding_norm = true},
    {.type = "gpt_neox", .gated = false, .biases = true, .layer_norm = true},
    {.type = "bert",
     .gated = false,
     .biases = true,
     .layer_norm = true,
     .tied = true,
     .extra_positions = 0,
     .embedding_norm = true,
     .final_norm = false,
     .encoder = true},
    {.type = "t5", .gated = false, .tied = true},
}};

// Beyond what any model has; a slip or an attack.
constexpr double kMostOfAnything = 1e8;

class ConfigReader {
 public:
  ConfigReader(const ConfigValues& config, const std::string& name)
      : config_(config), name_(name) {}

  // The first of `names` that is there, a whole number in [low, high].
  Result<int> Need(std::initializer_list<std::string_view> names,
                   double low = 1, double high = kMostOfAnything) const {
    for (const std::string_view key : names)
      if (const auto found = config_.numbers.find(key);
          found != config_.numbers.end())
        return Checked(key, found->second, low, high);
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: no {}", name_, *names.begin()),
                "a whole config.json has it; or give --params 7B");
  }
  Result<int> Get(std::initializer_list<std::string_view> names, int fallback,
                  double low = 1) const {
    for (const std::string_view key : names)
      if (config_.numbers.contains(key)) return Need({key}, low);
    return fallback;
  }

 private:
  Result<int> Checked(std::string_view key, double value, double low,
                      double high) const {
    if (value >= low && value <= high && value == std::floor(value))
      return static_cast<int>(value);
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: {} is {:g}, not a whole number from {:g} to "
                            "{:g}",
                            name_, key, value, low, high),
                "is this the config.json of a transformer?");
  }
  const ConfigValues& config_;
  const std::string& name_;
};

double Flag(const ConfigValues& config, std::string_view key, bool fallback) {
  const auto found = config.numbers.find(key);
  return found == config.numbers.end() ? fallback : found->second != 0;
}

Result<const Family*> FamilyOf(const ConfigValues& config,
                               const std::string& name) {
  const auto type = config.texts.find("model_type");
  if (type == config.texts.end())
    return Fail(ErrorCode::kInvalidInput, name + ": no model_type",
                "a whole config.json has it; or give --params 7B");
  std::vector<std::string_view> names;
  for (const Family& family : kFamilies) {
    if (family.type == type->second) return &family;
    names.push_back(family.type);
  }
  std::string known;
  for (const std::string_view one : names)
    known += (known.empty() ? "" : ", ") + std::string(one);
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{}: model_type '{}' is not known{}", name,
                          type->second, DidYouMean(type->second, names)),
              fmt::format("known are {}; or give --params 7B", known));
}

// A matrix, with its bias where the family has one.
double Matrix(double in, double out, bool bias) {
  return in * out + (bias ? out : 0);
}

struct Mla {
  int q_rank = 0, kv_rank = 0, nope = 0, rope = 0, v_dim = 0;
};

Result<Mla> MlaOf(const ConfigReader& read) {
  Mla mla;
  MODICUM_TRY(mla.kv_rank, read.Need({"kv_lora_rank"}));
  MODICUM_TRY(mla.q_rank, read.Get({"q_lora_rank"}, 0, 0));
  MODICUM_TRY(mla.nope, read.Need({"qk_nope_head_dim"}));
  MODICUM_TRY(mla.rope, read.Need({"qk_rope_head_dim"}));
  MODICUM_TRY(mla.v_dim, read.Need({"v_head_dim"}));
  return mla;
}

// DeepSeek-V2, arXiv:2405.04434, section 2.1; norms of the two latents.
double MlaParameters(const Architecture& model, const Mla& mla) {
  const double h = model.hidden;
  const double n = model.heads;
  const double queries =
      mla.q_rank > 0
          ? h * mla.q_rank + mla.q_rank + mla.q_rank * n * (mla.nope + mla.rope)
          : h * n * (mla.nope + mla.rope);
  return queries + h * (mla.kv_rank + mla.rope) + mla.kv_rank +
         mla.kv_rank * n * (mla.nope + mla.v_dim) + n * mla.v_dim * h;
}

double AttentionParameters(const Architecture& model, const Family& family) {
  const double h = model.hidden;
  const double q = static_cast<double>(model.heads) * model.head_dim;
  const double kv = static_cast<double>(model.kv_heads) * model.head_dim;
  const bool bias = family.biases || family.qkv_bias;
  return Matrix(h, q, bias) + 2 * Matrix(h, kv, bias) +
         Matrix(q, h, family.biases) +
         (family.head_norms ? 2.0 * model.head_dim : 0);
}

double FeedForward(double h, double f, const Family& family) {
  return (family.gated ? 2 : 1) * Matrix(h, f, family.biases) +
         Matrix(f, h, family.biases);
}

// Mamba's mixer (Gu and Dao 2023), with Jamba's three norms.
struct Ssm {
  int state = 16, conv = 4, expand = 2, rank = 0;
  double inner(double h) const { return h * expand; }
  double Parameters(double h) const {
    const double d = inner(h);
    return h * 2 * d + d * conv + d + d * (rank + 2.0 * state) +
           static_cast<double>(rank) * d + d + d * state + d + d * h + rank +
           2.0 * state;
  }
};

Result<Ssm> SsmOf(const ConfigReader& read, int hidden) {
  Ssm ssm;
  MODICUM_TRY(ssm.state, read.Get({"mamba_d_state"}, 16));
  MODICUM_TRY(ssm.conv, read.Get({"mamba_d_conv"}, 4));
  MODICUM_TRY(ssm.expand, read.Get({"mamba_expand"}, 2));
  MODICUM_TRY(ssm.rank, read.Get({"mamba_dt_rank"}, (hidden + 15) / 16));
  return ssm;
}

enum class Layer { kFull, kWindowed, kStateSpace };

// Which layer is which: `layer_types`, a period, a window's pattern.
class LayerPlan {
 public:
  static Result<LayerPlan> Of(const ConfigReader& read,
                              const ConfigValues& config,
                              const Architecture& model) {
    LayerPlan plan;
    plan.types_ = config.layer_types;
    plan.window_ = model.window > 0;
    MODICUM_TRY(plan.attention_period_, read.Get({"attn_layer_period"}, 0));
    MODICUM_TRY(plan.attention_offset_, read.Get({"attn_layer_offset"}, 0, 0));
    MODICUM_TRY(plan.full_period_, read.Get({"sliding_window_pattern"},
                                            model.type == "gemma2"        ? 2
                                            : model.type == "gemma3_text" ? 6
                                                                          : 0));
    if (!plan.types_.empty() &&
        plan.types_.size() != static_cast<size_t>(model.layers))
      return Fail(ErrorCode::kInvalidInput,
                  fmt::format("{}: {} layer_types for {} layers", model.name,
                              plan.types_.size(), model.layers),
                  "one entry per layer");
    return plan;
  }
  Layer operator[](int i) const {
    if (!types_.empty()) return OfName(types_[static_cast<size_t>(i)]);
    if (attention_period_ > 0)
      return i % attention_period_ == attention_offset_ ? Layer::kFull
                                                        : Layer::kStateSpace;
    if (!window_) return Layer::kFull;
    if (full_period_ > 0 && (i + 1) % full_period_ == 0) return Layer::kFull;
    return Layer::kWindowed;
  }

 private:
  Layer OfName(const std::string& name) const {
    if (name == "mamba" || name == "linear_attention" || name == "mamba2")
      return Layer::kStateSpace;
    return name == "sliding_attention" && window_ ? Layer::kWindowed
                                                  : Layer::kFull;
  }
  std::vector<std::string> types_;
  bool window_ = false;
  int attention_period_ = 0, attention_offset_ = 0, full_period_ = 0;
};

// The experts of a mixture and which layers have them.
struct Experts {
  int count = 0, per_token = 0, ffn = 0, shared_ffn = 0;
  int first_dense = 0, period = 1, offset = 0;
  bool shared_gate = false;
  bool In(int layer) const {
    return count > 0 && layer >= first_dense && layer % period == offset;
  }
};

Result<Experts> ExpertsOf(const ConfigReader& read, const Architecture& model) {
  Experts experts;
  MODICUM_TRY(
      experts.count,
      read.Get({"num_local_experts", "n_routed_experts", "num_experts"}, 0, 0));
  if (experts.count == 0) return experts;
  MODICUM_TRY(experts.per_token,
              read.Need({"num_experts_per_tok", "num_experts_per_token"}, 1,
                        experts.count));
  MODICUM_TRY(experts.ffn, read.Get({"moe_intermediate_size"}, model.ffn));
  MODICUM_TRY(const int shared, read.Get({"n_shared_experts"}, 0, 0));
  MODICUM_TRY(
      experts.shared_ffn,
      read.Get({"shared_expert_intermediate_size"},
               static_cast<int>(std::min(
                   static_cast<double>(shared) * experts.ffn, kMostOfAnything)),
               0));
  experts.shared_gate = model.type == "qwen2_moe";
  MODICUM_TRY(experts.first_dense, read.Get({"first_k_dense_replace"}, 0, 0));
  MODICUM_TRY(experts.period,
              read.Get({"expert_layer_period", "decoder_sparse_step"}, 1));
  MODICUM_TRY(experts.offset, read.Get({"expert_layer_offset"}, 0, 0));
  return experts;
}

void AddLayer(Architecture& model, double parameters, double unused) {
  model.parameters += parameters;
  model.active += parameters - unused;
  model.largest_layer = std::max(model.largest_layer, parameters);
}

// A layer's feed-forward part: what it has and what a token does not pass.
std::pair<double, double> MixtureOf(const Architecture& model,
                                    const Experts& experts,
                                    const Family& family) {
  const double h = model.hidden;
  const double one = FeedForward(h, experts.ffn, family);
  const double shared =
      experts.shared_ffn > 0 ? FeedForward(h, experts.shared_ffn, family) : 0;
  const double router = h * experts.count +
                        (model.type == "deepseek_v3" ? experts.count : 0) +
                        (experts.shared_gate ? h : 0);
  return {one * experts.count + shared + router,
          one * (experts.count - experts.per_token)};
}

struct Attention {
  double parameters = 0;
  double cached = 0;  // numbers per token and layer
};

Result<Attention> AttentionOf(const ConfigReader& read,
                              const ConfigValues& config,
                              const Architecture& model, const Family& family) {
  if (!config.numbers.contains("kv_lora_rank"))
    return Attention{AttentionParameters(model, family),
                     2.0 * model.kv_heads * model.head_dim};
  MODICUM_TRY(const Mla mla, MlaOf(read));
  return Attention{MlaParameters(model, mla),
                   static_cast<double>(mla.kv_rank) + mla.rope};
}

Status AddLayers(const ConfigReader& read, const ConfigValues& config,
                 Architecture& model, const Family& family) {
  MODICUM_TRY(const Attention attention,
              AttentionOf(read, config, model, family));
  MODICUM_TRY(const Experts experts, ExpertsOf(read, model));
  MODICUM_TRY(const LayerPlan plan, LayerPlan::Of(read, config, model));
  MODICUM_TRY(const Ssm ssm, SsmOf(read, model.hidden));
  model.experts = experts.count;
  model.experts_per_token = experts.per_token;
  const double norm = (family.layer_norm ? 2.0 : 1.0) * model.hidden;
  for (int i = 0; i < model.layers; ++i) {
    const Layer kind = plan[i];
    double own = family.norms * norm;
    own += kind == Layer::kStateSpace ? ssm.Parameters(model.hidden)
                                      : attention.parameters;
    if (kind == Layer::kFull) model.cached += attention.cached;
    if (kind == Layer::kWindowed) model.cached_windowed += attention.cached;
    if (kind == Layer::kStateSpace)
      model.state += ssm.inner(model.hidden) * (ssm.state + ssm.conv);
    if (!experts.In(i)) {
      AddLayer(model, own + FeedForward(model.hidden, model.ffn, family), 0);
      continue;
    }
    const auto [mixture, unused] = MixtureOf(model, experts, family);
    model.expert_parameters +=
        experts.count * FeedForward(model.hidden, experts.ffn, family);
    AddLayer(model, own + mixture, unused);
  }
  return {};
}

void AddTables(Architecture& model, const Family& family, bool tied,
               bool head_bias) {
  const double h = model.hidden;
  const double table = static_cast<double>(model.vocab) * h;
  const double norm = (family.layer_norm ? 2 : 1) * h;
  double extra = family.final_norm ? norm : 0;
  if (family.embedding_norm) extra += norm;
  if (family.encoder) extra += 2 * h + h * h + h;  // token types, pooler
  model.embedding = table;
  if (family.extra_positions >= 0)
    model.embedding += (model.context + family.extra_positions) * h;
  if (!tied) extra += table + (head_bias ? model.vocab : 0);
  model.parameters += model.embedding + extra;
  model.active += model.embedding + extra;
  model.largest_layer = std::max(model.largest_layer, table);
}

// Raffel et al. 2020: an encoder, a decoder with attention to it, one table of
// relative positions each, no scale in attention, norms without bias.
Result<Architecture> T5(const ConfigReader& read, const ConfigValues& config,
                        Architecture model) {
  MODICUM_TRY(model.hidden, read.Need({"d_model"}));
  MODICUM_TRY(const int encoder, read.Need({"num_layers"}, 1, 10000));
  MODICUM_TRY(const int decoder, read.Get({"num_decoder_layers"}, encoder));
  MODICUM_TRY(model.heads, read.Need({"num_heads"}));
  MODICUM_TRY(model.head_dim, read.Need({"d_kv"}));
  MODICUM_TRY(model.ffn, read.Need({"d_ff"}));
  MODICUM_TRY(model.vocab, read.Need({"vocab_size"}));
  MODICUM_TRY(const int buckets,
              read.Get({"relative_attention_num_buckets"}, 32));
  model.layers = encoder + decoder;
  model.kv_heads = model.heads;
  const double h = model.hidden;
  const double inner = static_cast<double>(model.heads) * model.head_dim;
  const auto projection = config.texts.find("feed_forward_proj");
  const bool gated = projection != config.texts.end() &&
                     projection->second.starts_with("gated");
  const double ffn = (gated ? 3 : 2) * h * model.ffn;
  const double decoder_layer = 8 * h * inner + ffn + 3 * h;
  model.embedding = model.vocab * h;
  model.parameters = encoder * (4 * h * inner + ffn + 2 * h) +
                     decoder * decoder_layer + 2 * h +
                     2.0 * buckets * model.heads + model.embedding;
  if (Flag(config, "tie_word_embeddings", true) == 0)
    model.parameters += model.embedding;
  model.active = model.parameters;
  // The largest module: the table of tokens, as the estimators count it.
  model.largest_layer = std::max(model.embedding, decoder_layer);
  // A decoder's layer keeps its own K and V; those of the input are as long.
  model.cached = 2.0 * decoder * inner;
  return model;
}

Status ReadShape(const ConfigReader& read, const Family& family,
                 Architecture& model) {
  MODICUM_TRY(model.hidden, read.Need({"hidden_size", "n_embd", "d_model"}));
  MODICUM_TRY(model.layers,
              read.Need({"num_hidden_layers", "n_layer"}, 1, 10000));
  MODICUM_TRY(model.heads,
              read.Need({"num_attention_heads", "n_head"}, 1, 100000));
  MODICUM_TRY(model.kv_heads, read.Get({"num_key_value_heads"}, model.heads));
  MODICUM_TRY(model.head_dim,
              read.Get({"head_dim"}, std::max(1, model.hidden / model.heads)));
  MODICUM_TRY(model.vocab, read.Need({"vocab_size"}));
  MODICUM_TRY(
      model.context,
      read.Get({"max_position_embeddings", "n_positions", "seq_length"}, 0, 0));
  MODICUM_TRY(model.window, read.Get({"sliding_window"}, 0, 0));
  const bool four = family.type == "gpt2" || family.type == "bloom";
  if (four)
    return read.Get({"n_inner", "intermediate_size"}, 4 * model.hidden)
        .map([&](int ffn) { model.ffn = ffn; });
  MODICUM_TRY(model.ffn, read.Need({"intermediate_size", "ffn_dim"}));
  return {};
}

}  // namespace

double KvBytes(const Architecture& model, double tokens, double bits) {
  const double windowed =
      model.window > 0 ? std::min<double>(tokens, model.window) : tokens;
  return (model.cached * tokens + model.cached_windowed * windowed +
          model.state) *
         bits / 8;
}

double KvBytesPerToken(const Architecture& model, double bits) {
  return (model.cached + model.cached_windowed) * bits / 8;
}

double ForwardFlop(const Architecture& model, double context) {
  const double seen = static_cast<double>(model.heads) * model.head_dim;
  return 2 * model.active + 4.0 * model.layers * seen * context;
}

Result<Architecture> ArchitectureOf(const ConfigValues& config,
                                    const std::string& name) {
  MODICUM_TRY(const Family* family, FamilyOf(config, name));
  const ConfigReader read(config, name);
  Architecture model;
  model.name = name;
  model.type = family->type;
  if (family->type == "t5") return T5(read, config, std::move(model));
  MODICUM_RETURN_IF_ERROR(ReadShape(read, *family, model));
  if (model.kv_heads > model.heads || model.heads % model.kv_heads != 0)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("{}: {} heads cannot share {} key-value heads",
                            name, model.heads, model.kv_heads),
                "num_attention_heads is a multiple of num_key_value_heads");
  if (Flag(config, "use_sliding_window", true) == 0) model.window = 0;
  MODICUM_RETURN_IF_ERROR(AddLayers(read, config, model, *family));
  AddTables(model, *family,
            Flag(config, "tie_word_embeddings", family->tied) != 0,
            family->type == "phi");
  return model;
}

Result<Architecture> FindArchitecture(std::string_view name) {
  const EmbeddedTable table(kModelArchitecturesCsv);
  std::string wanted(name);
  for (char& c : wanted)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c;
  const auto next = [](std::string_view& text, char separator) {
    const size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
  };
  std::vector<std::string> names;
  for (size_t row = 0; row < table.size(); ++row) {
    const std::string all =
        table.at(row, "id") + ";" + table.at(row, "aliases");
    bool found = false;
    for (std::string_view rest = all; !rest.empty();) {
      names.emplace_back(next(rest, ';'));
      found = found || names.back() == wanted;
    }
    if (!found) continue;
    ConfigValues config;
    for (std::string_view rest = table.at(row, "config"); !rest.empty();) {
      std::string_view pair = next(rest, ';');
      const std::string key(next(pair, '='));
      if (key == "model_type")
        config.texts[key] = pair;
      else
        config.numbers[key] = std::stod(std::string(pair));
    }
    return ArchitectureOf(config, table.at(row, "id"));
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  return Fail(
      ErrorCode::kNotFound,
      fmt::format("unknown model '{}'{}", name, DidYouMean(wanted, views)),
      "`modicum plan models` lists the presets; also a config.json, a "
      ".gguf or .safetensors file, or --params 7B");
}

std::vector<std::string> ArchitectureNames() {
  const EmbeddedTable table(kModelArchitecturesCsv);
  std::vector<std::string> names;
  for (size_t row = 0; row < table.size(); ++row)
    names.push_back(table.at(row, "id"));
  return names;
}

Result<Architecture> TypicalArchitecture(double parameters) {
  if (!(parameters >= 1e5) || !(parameters <= 1e15))
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("{:g} parameters are not a language model's", parameters),
        "with its unit: --params 7B, --params 350M, --params 7e9");
  Architecture model;
  model.shape_assumed = true;
  model.type = "llama";
  model.parameters = model.active = parameters;
  // 12 L h^2 with h = 128 L.
  const double h = std::cbrt(parameters * 128 / 12);
  model.hidden = std::max(64, static_cast<int>(std::lround(h / 64)) * 64);
  model.layers =
      std::max(1, static_cast<int>(std::lround(parameters / 12 / model.hidden /
                                               model.hidden)));
  model.head_dim = std::min(128, model.hidden);
  model.heads = std::max(1, model.hidden / model.head_dim);
  model.kv_heads = model.heads;
  model.ffn = 8 * model.hidden / 3;
  model.vocab = 32000;
  model.largest_layer = parameters / model.layers;
  model.cached = 2.0 * model.layers * model.heads * model.head_dim;
  return model;
}

}  // namespace modicum
