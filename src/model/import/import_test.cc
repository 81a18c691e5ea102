// SPDX-License-Identifier: Apache-2.0
// Whole folders: every number of the file is where it belongs, and what is
// wrong with a folder is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "model/gguf/gguf_weights.h"
#include "model/gguf/head_file.h"
#include "model/import/hf_tensors.h"
#include "model/import/import_folder.h"
#include "model/import/import_sample.h"

namespace modicum {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ImportTest : public ::testing::Test {
 protected:
  ImportTest()
      : folder_(
            ::testing::TempDir() + "modicum-import-" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
  }
  ~ImportTest() override { std::filesystem::remove_all(folder_); }

  Result<GgufFile> Import(const HfSample& sample, size_t shards = 1,
                          ImportOptions options = {}) {
    std::filesystem::remove_all(folder_);
    sample.Write(folder_ + "/tiny", shards);
    return ImportedFile(folder_ + "/tiny", options);
  }
  // The model's own file.
  Result<GgufFile> ImportedFile(const std::string& folder,
                                const ImportOptions& options = {}) {
    return ImportFolder(folder, Output(), options)
        .map([](const ImportedModel& imported) { return imported.model; });
  }
  std::string Refusal(const HfSample& sample) {
    const auto file = Import(sample);
    if (file) return "accepted";
    EXPECT_FALSE(std::filesystem::exists(Output()));
    EXPECT_FALSE(file.error().hint.empty()) << file.error().message;
    std::string message = file.error().message;
    for (size_t at; (at = message.find(folder_)) != std::string::npos;)
      message.replace(at, folder_.size() + 1, "");
    return message;
  }
  std::string Output() const { return folder_ + "/tiny.gguf"; }

  // A tensor's numbers as they are in the file.
  std::vector<float> Values(const GgufFile& file, const std::string& name) {
    const GgufTensor* tensor = file.FindTensor(name);
    MODICUM_CHECK(tensor != nullptr);
    const std::string bytes = *ReadFile(file.name);
    const char* at = bytes.data() + file.data_offset + tensor->offset;
    std::vector<float> values(tensor->elements());
    for (size_t i = 0; i < values.size(); ++i) {
      uint16_t half = 0;
      if (tensor->type == GgmlType::kF32)
        std::memcpy(&values[i], at + 4 * i, 4);
      if (tensor->type != GgmlType::kF32) std::memcpy(&half, at + 2 * i, 2);
      if (tensor->type == GgmlType::kF16) values[i] = OfHalf(half);
      if (tensor->type == GgmlType::kBf16) values[i] = OfBrain(half);
    }
    return values;
  }
  void ExpectSame(const GgufFile& file, const HfSample& sample,
                  const std::string& name, const std::string& source) {
    SCOPED_TRACE(name);
    const HfSampleTensor& from = sample.tensors.at(source);
    const GgufTensor* tensor = file.FindTensor(name);
    ASSERT_NE(tensor, nullptr);
    ASSERT_EQ(tensor->dimensions, from.shape.size());
    for (size_t i = 0; i < from.shape.size(); ++i)
      EXPECT_EQ(tensor->shape[i], from.shape[from.shape.size() - 1 - i]);
    EXPECT_EQ(Values(file, name), from.values);
  }
  // As numpy has it: reshape(heads, 2, rows / heads / 2, columns), axes 1 and
  // 2 swapped.
  void ExpectTurned(const GgufFile& file, const HfSample& sample,
                    const std::string& name, const std::string& source,
                    size_t heads) {
    SCOPED_TRACE(name);
    const HfSampleTensor& from = sample.tensors.at(source);
    const size_t columns = from.shape[1];
    const size_t pairs = from.shape[0] / heads / 2;
    std::vector<float> expected;
    for (size_t head = 0; head < heads; ++head)
      for (size_t pair = 0; pair < pairs; ++pair)
        for (size_t half = 0; half < 2; ++half)
          for (size_t column = 0; column < columns; ++column)
            expected.push_back(
                from.values[((head * 2 + half) * pairs + pair) * columns +
                            column]);
    EXPECT_EQ(Values(file, name), expected);
  }

  std::string folder_;
  std::stop_source stop_;
};

TEST_F(ImportTest, Llama) {
  const HfSample sample = LlamaSample();
  const auto file = Import(sample);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(ReadGguf(Output())->metadata, file->metadata);
  EXPECT_TRUE(CheckWeights(*file).has_value());
  EXPECT_EQ(file->Text("general.name"), "tiny");
  EXPECT_EQ(file->Text("general.architecture"), "llama");
  EXPECT_EQ(file->Unsigned("general.file_type"), 0U);
  EXPECT_EQ(file->Unsigned("llama.context_length"), 64U);
  EXPECT_EQ(file->Unsigned("llama.embedding_length"), 16U);
  EXPECT_EQ(file->Unsigned("llama.block_count"), 2U);
  EXPECT_EQ(file->Unsigned("llama.feed_forward_length"), 24U);
  EXPECT_EQ(file->Unsigned("llama.attention.head_count"), 4U);
  EXPECT_EQ(file->Unsigned("llama.attention.head_count_kv"), 2U);
  EXPECT_EQ(file->Unsigned("llama.rope.dimension_count"), 4U);
  EXPECT_EQ(file->Number("llama.rope.freq_base"), 500000);
  EXPECT_EQ(file->Number("llama.attention.layer_norm_rms_epsilon"),
            static_cast<double>(1e-5F));
  EXPECT_EQ(file->tensors.size(), 3U + 2 * 9);
  ExpectSame(*file, sample, "token_embd.weight", "model.embed_tokens.weight");
  ExpectSame(*file, sample, "output_norm.weight", "model.norm.weight");
  ExpectSame(*file, sample, "output.weight", "lm_head.weight");
  for (const std::string layer : {"0", "1"}) {
    const std::string block = "blk." + layer + ".";
    const std::string source = "model.layers." + layer + ".";
    ExpectTurned(*file, sample, block + "attn_q.weight",
                 source + "self_attn.q_proj.weight", 4);
    ExpectTurned(*file, sample, block + "attn_k.weight",
                 source + "self_attn.k_proj.weight", 2);
    const std::pair<const char*, const char*> same[] = {
        {"attn_norm", "input_layernorm"},
        {"attn_v", "self_attn.v_proj"},
        {"attn_output", "self_attn.o_proj"},
        {"ffn_norm", "post_attention_layernorm"},
        {"ffn_gate", "mlp.gate_proj"},
        {"ffn_up", "mlp.up_proj"},
        {"ffn_down", "mlp.down_proj"}};
    for (const auto& [name, from] : same)
      ExpectSame(*file, sample, block + name + ".weight",
                 source + from + ".weight");
  }
}

TEST_F(ImportTest, LlamaWithBiasesTiedWeightsAndScaledPositions) {
  HfSample sample = LlamaSample();
  sample.config["architectures"] =
      nlohmann::json::array({"MistralForCausalLM"});
  sample.config["tie_word_embeddings"] = true;
  sample.config["rope_scaling"] = {{"rope_type", "llama3"},
                                   {"factor", 8.0},
                                   {"low_freq_factor", 1.0},
                                   {"high_freq_factor", 4.0},
                                   {"original_max_position_embeddings", 8192}};
  for (const char* layer : {"0", "1"})
    sample.Add(fmt::format("model.layers.{}.self_attn.q_proj.bias", layer),
               {16});
  const auto file = Import(sample);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(file->FindTensor("output.weight"), nullptr);
  EXPECT_EQ(file->Find("llama.rope.scaling.type"), nullptr);
  const auto& bias =
      sample.tensors.at("model.layers.0.self_attn.q_proj.bias").values;
  EXPECT_THAT(Values(*file, "blk.0.attn_q.bias"),
              ElementsAre(bias[0], bias[2], bias[1], bias[3], bias[4], bias[6],
                          bias[5], bias[7], bias[8], bias[10], bias[9],
                          bias[11], bias[12], bias[14], bias[13], bias[15]));
  // Of four numbers in a head: one wave of 6, one of 4,443 tokens between
  // 8,192 / 4 and 8,192 / 1.
  const std::vector<float> factors = Values(*file, "rope_freqs.weight");
  ASSERT_EQ(factors.size(), 2U);
  EXPECT_EQ(factors[0], 1);
  const double smooth =
      (8192 / (2 * 3.14159265358979 * std::sqrt(5e5)) - 1) / 3;
  EXPECT_NEAR(factors[1], 1 / ((1 - smooth) / 8 + smooth), 1e-5);
}

TEST(Llama3FactorsTest, LongWavesAreDividedByTheWholeFactor) {
  HfRope rope;
  rope.base = 500000;
  rope.factor = 8;
  rope.original_context = 8192;
  const std::vector<float> factors = Llama3Factors(rope, 128);
  ASSERT_EQ(factors.size(), 64U);
  // Llama 3.1 as published: pairs 0 to 28 stay, from 36 on all is divided.
  EXPECT_EQ(factors[28], 1);
  EXPECT_GT(factors[29], 1);
  EXPECT_LT(factors[34], 8);
  EXPECT_EQ(factors[35], 8);
  EXPECT_TRUE(std::ranges::is_sorted(factors));
}

TEST_F(ImportTest, MixtralMergesItsExperts) {
  const HfSample sample = LlamaSample(3);
  const auto file = Import(sample, 3);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(file->Text("general.architecture"), "llama");
  EXPECT_EQ(file->Unsigned("llama.expert_count"), 3U);
  EXPECT_EQ(file->Unsigned("llama.expert_used_count"), 2U);
  const std::tuple<const char*, const char*, uint64_t, uint64_t> kinds[] = {
      {"ffn_gate_exps", "w1", 16, 24},
      {"ffn_down_exps", "w2", 24, 16},
      {"ffn_up_exps", "w3", 16, 24}};
  for (const auto& [name, source, columns, rows] : kinds) {
    const std::string full = fmt::format("blk.1.{}.weight", name);
    EXPECT_THAT(file->FindTensor(full)->shape,
                ElementsAre(columns, rows, 3, 1));
    std::vector<float> expected;
    for (int i = 0; i < 3; ++i) {
      const auto& expert = sample.tensors.at(fmt::format(
          "model.layers.1.block_sparse_moe.experts.{}.{}.weight", i, source));
      expected.insert(expected.end(), expert.values.begin(),
                      expert.values.end());
    }
    EXPECT_EQ(Values(*file, full), expected);
  }
  ExpectSame(*file, sample, "blk.0.ffn_gate_inp.weight",
             "model.layers.0.block_sparse_moe.gate.weight");
}

TEST_F(ImportTest, Phi) {
  const HfSample sample = PhiSample();
  const auto file = Import(sample);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(file->Text("general.architecture"), "phi2");
  EXPECT_EQ(file->Unsigned("phi2.rope.dimension_count"), 4U);
  EXPECT_EQ(file->Flag("tokenizer.ggml.add_bos_token"), false);
  EXPECT_EQ(file->tensors.size(), 5U + 2 * 14);
  const std::pair<const char*, const char*> same[] = {
      {"attn_norm", "input_layernorm"},
      {"attn_q", "self_attn.q_proj"},
      {"attn_k", "self_attn.k_proj"},
      {"attn_v", "self_attn.v_proj"},
      {"attn_output", "self_attn.dense"},
      {"ffn_up", "mlp.fc1"},
      {"ffn_down", "mlp.fc2"}};
  for (const auto& [name, from] : same)
    for (const char* part : {".weight", ".bias"})
      ExpectSame(*file, sample, fmt::format("blk.1.{}{}", name, part),
                 fmt::format("model.layers.1.{}{}", from, part));
  ExpectSame(*file, sample, "output.bias", "lm_head.bias");
  ExpectSame(*file, sample, "output_norm.bias", "model.final_layernorm.bias");
}

TEST_F(ImportTest, BertLeavesItsPoolerOut) {
  const HfSample sample = BertSample();
  const auto file = Import(sample);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(file->Text("general.architecture"), "bert");
  EXPECT_EQ(file->Flag("bert.attention.causal"), false);
  EXPECT_EQ(file->Find("bert.pooling_type"), nullptr);
  EXPECT_EQ(file->tensors.size(), 5U + 2 * 16);
  const std::pair<const char*, const char*> same[] = {
      {"attn_q", "attention.self.query"},
      {"attn_k", "attention.self.key"},
      {"attn_v", "attention.self.value"},
      {"attn_output", "attention.output.dense"},
      {"attn_output_norm", "attention.output.LayerNorm"},
      {"ffn_up", "intermediate.dense"},
      {"ffn_down", "output.dense"},
      {"layer_output_norm", "output.LayerNorm"}};
  for (const auto& [name, from] : same)
    for (const char* part : {".weight", ".bias"})
      ExpectSame(*file, sample, fmt::format("blk.1.{}{}", name, part),
                 fmt::format("encoder.layer.1.{}{}", from, part));
  ExpectSame(*file, sample, "position_embd.weight",
             "embeddings.position_embeddings.weight");
  ExpectSame(*file, sample, "token_types.weight",
             "embeddings.token_type_embeddings.weight");
  ExpectSame(*file, sample, "token_embd_norm.bias",
             "embeddings.LayerNorm.bias");
}

TEST_F(ImportTest, BertTakesItsPoolingFromTheFolder) {
  BertSample().Write(folder_ + "/tiny");
  const auto pooling = [&](const std::string& mode) {
    EXPECT_TRUE(WriteFileAtomically(folder_ + "/tiny/1_Pooling/config.json",
                                    "{\"" + mode + "\": true}")
                    .has_value());
    return ImportedFile(folder_ + "/tiny");
  };
  EXPECT_EQ(pooling("pooling_mode_mean_tokens")->Unsigned("bert.pooling_type"),
            1U);
  EXPECT_EQ(pooling("pooling_mode_cls_token")->Unsigned("bert.pooling_type"),
            2U);
  EXPECT_THAT(pooling("pooling_mode_max_tokens").error().message,
              HasSubstr("the pooling is neither of mean, cls and lasttoken"));
}

TEST_F(ImportTest, BertClassifierKeepsItsHeadAndLabels) {
  const HfSample sample = BertSample({"neg", "neutral", "pos"});
  const auto file = Import(sample);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(file->Unsigned("bert.pooling_type"), 4U);
  EXPECT_THAT(file->Array("bert.classifier.output_labels")->texts,
              ElementsAre("neg", "neutral", "pos"));
  ExpectSame(*file, sample, "cls.weight", "bert.pooler.dense.weight");
  ExpectSame(*file, sample, "cls.bias", "bert.pooler.dense.bias");
  ExpectSame(*file, sample, "cls.output.weight", "classifier.weight");
  ExpectSame(*file, sample, "cls.output.bias", "classifier.bias");
  ExpectSame(*file, sample, "blk.0.attn_k.weight",
             "bert.encoder.layer.0.attention.self.key.weight");
}

TEST_F(ImportTest, AHeadForTokensLiesBesideTheBody) {
  const HfSample sample =
      BertHeadSample(HeadKind::kTokenClassification, {"O", "B-PER", "I-PER"});
  const auto file = Import(sample);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  // The body is one as any other.
  EXPECT_TRUE(ReadGguf(Output()).has_value());
  EXPECT_EQ(file->FindTensor("head.output.weight"), nullptr);
  EXPECT_EQ(file->Find("bert.pooling_type"), nullptr);
  ExpectSame(*file, sample, "blk.0.attn_k.weight",
             "bert.encoder.layer.0.attention.self.key.weight");
  const auto head = ReadHeadOf(*file);
  ASSERT_TRUE(head.has_value()) << head.error().message;
  EXPECT_EQ(head->file.name, folder_ + "/tiny.head.gguf");
  EXPECT_EQ(head->kind, HeadKind::kTokenClassification);
  EXPECT_THAT(head->labels, ElementsAre("O", "B-PER", "I-PER"));
  EXPECT_EQ(head->body, ToHex(*Sha256OfFile(Output())));
  ASSERT_EQ(head->file.tensors.size(), 2U);
  EXPECT_EQ(Values(head->file, "head.output.weight"),
            sample.tensors.at("classifier.weight").values);
  EXPECT_EQ(Values(head->file, "head.output.bias"),
            sample.tensors.at("classifier.bias").values);
  // llama.cpp is never shown it.
  EXPECT_THAT(ReadGguf(head->file.name).error().message,
              HasSubstr("it holds 'head', not a model"));
}

TEST_F(ImportTest, AMaskedLanguageModelMayBeTiedOrNot) {
  HfSample sample = BertHeadSample(HeadKind::kFillMask);
  const auto names = [&] {
    std::vector<std::string> all;
    const auto file = Import(sample);
    EXPECT_TRUE(file.has_value()) << file.error().message;
    const auto head = ReadHeadOf(*file);
    EXPECT_TRUE(head.has_value()) << head.error().message;
    for (const GgufTensor& tensor : head->file.tensors)
      all.push_back(tensor.name);
    EXPECT_EQ(
        Values(head->file, "head.transform.weight"),
        sample.tensors.at("cls.predictions.transform.dense.weight").values);
    return all;
  };
  EXPECT_THAT(names(),
              ElementsAre("head.transform.weight", "head.transform.bias",
                          "head.transform_norm.weight",
                          "head.transform_norm.bias", "head.decoder.bias"));
  // A copy of what is tied is left out; untied it is needed.
  sample.Add("cls.predictions.decoder.weight", {57, 16});
  EXPECT_EQ(names().size(), 5U);
  sample.config["tie_word_embeddings"] = false;
  EXPECT_THAT(names(), Contains("head.decoder.weight"));
  sample.tensors.erase("cls.predictions.decoder.weight");
  EXPECT_EQ(Refusal(sample),
            "the weights have no tensor 'cls.predictions.decoder.weight'");
  // The bias goes by another name in newer files.
  sample.config.erase("tie_word_embeddings");
  auto bias = sample.tensors.extract("cls.predictions.bias");
  bias.key() = "cls.predictions.decoder.bias";
  sample.tensors.insert(std::move(bias));
  EXPECT_EQ(names().size(), 5U);
  sample.tensors.erase("cls.predictions.decoder.bias");
  EXPECT_EQ(Refusal(sample),
            "the weights have no tensor 'cls.predictions.bias'");
}

TEST_F(ImportTest, AHeadIsInTheTypeThatIsAskedFor) {
  ImportOptions options;
  options.type = GgmlType::kF16;
  const auto file =
      Import(BertHeadSample(HeadKind::kQuestionAnswering), 2, options);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  const auto head = ReadHeadOf(*file);
  ASSERT_TRUE(head.has_value()) << head.error().message;
  EXPECT_EQ(head->file.FindTensor("head.output.weight")->type, GgmlType::kF16);
  EXPECT_EQ(head->file.FindTensor("head.output.bias")->type, GgmlType::kF32);
}

TEST_F(ImportTest, ABodyThatWasChangedHasNoHead) {
  const auto file = Import(BertHeadSample(HeadKind::kFillMask));
  ASSERT_TRUE(file.has_value());
  std::string bytes = *ReadFile(Output());
  bytes.back() ^= 1;
  ASSERT_TRUE(WriteFileAtomically(Output(), bytes).has_value());
  EXPECT_EQ(ReadHeadOf(*file).error().message,
            folder_ + "/tiny.head.gguf: it was made with another " + Output() +
                ": the file was changed, quantized or replaced since");
  std::filesystem::remove(folder_ + "/tiny.head.gguf");
  const auto none = ReadHeadOf(*file);
  EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(none.error().message, Output() + " has no head: there is no " +
                                      folder_ + "/tiny.head.gguf");
}

TEST_F(ImportTest, NoBodyIsLeftWithoutItsHead) {
  BertHeadSample(HeadKind::kFillMask).Write(folder_ + "/tiny");
  // In the way of the head's file.
  std::filesystem::create_directories(folder_ + "/tiny.head.gguf/x");
  EXPECT_FALSE(ImportedFile(folder_ + "/tiny").has_value());
  EXPECT_FALSE(std::filesystem::exists(Output()));
}

TEST_F(ImportTest, ReadsTensorFlowsNames) {
  HfSample sample = BertSample();
  const auto rename = [&](const char* from, const char* to) {
    auto node = sample.tensors.extract(from);
    node.key() = to;
    sample.tensors.insert(std::move(node));
  };
  rename("embeddings.LayerNorm.weight", "embeddings.LayerNorm.gamma");
  rename("embeddings.LayerNorm.bias", "embeddings.LayerNorm.beta");
  const auto file = Import(sample);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  ExpectSame(*file, sample, "token_embd_norm.weight",
             "embeddings.LayerNorm.gamma");
}

TEST_F(ImportTest, TheModuleDoesTheSame) {
  const HfSample sample = LlamaSample();
  ASSERT_TRUE(Import(sample).has_value());
  const auto file = ImportModel(folder_ + "/tiny", folder_ + "/other.gguf");
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(*ReadFile(folder_ + "/other.gguf"), *ReadFile(Output()));
}

TEST_F(ImportTest, ShardsMakeTheSameFile) {
  const HfSample sample = LlamaSample();
  ASSERT_TRUE(Import(sample).has_value());
  const std::string one = *ReadFile(Output());
  ASSERT_TRUE(Import(sample, 4).has_value());
  EXPECT_EQ(*ReadFile(Output()), one);
}

TEST_F(ImportTest, KeepsOrChangesTheType) {
  HfSample sample = LlamaSample();
  for (const char* stored : {"F32", "F16", "BF16"}) {
    sample.type = stored;
    for (const char* wanted : {"", "f32", "f16", "bf16"}) {
      SCOPED_TRACE(fmt::format("{} to {}", stored, wanted));
      ImportOptions options;
      if (*wanted != '\0') options.type = FindGgmlType(wanted)->type;
      const auto file = Import(sample, 1, options);
      ASSERT_TRUE(file.has_value()) << file.error().message;
      const GgmlType type =
          FindGgmlType(*wanted != '\0' ? wanted : stored)->type;
      EXPECT_EQ(file->FindTensor("output.weight")->type, type);
      EXPECT_EQ(file->FindTensor("output_norm.weight")->type, GgmlType::kF32);
      EXPECT_EQ(FindFileType(
                    static_cast<uint32_t>(*file->Unsigned("general.file_type")))
                    ->name,
                InfoOf(type).name);
      // Each number goes through what it was stored in.
      std::vector<float> expected = sample.tensors.at("lm_head.weight").values;
      for (float& value : expected) {
        for (const std::string_view step :
             {std::string_view(stored), InfoOf(type).name}) {
          if (step == "F16" || step == "f16") value = OfHalf(HalfOf(value));
          if (step == "BF16" || step == "bf16") value = OfBrain(BrainOf(value));
        }
      }
      EXPECT_EQ(Values(*file, "output.weight"), expected);
    }
  }
}

TEST_F(ImportTest, RefusesNumbersThatAreNone) {
  HfSample sample = LlamaSample();
  sample.tensors["lm_head.weight"].values[300] = std::nanf("");
  EXPECT_EQ(Refusal(sample),
            "tiny/model.safetensors: tensor 'lm_head.weight' has a number at "
            "index 300 that is not finite");
  sample.tensors["lm_head.weight"].values[300] = 65520;
  EXPECT_EQ(Refusal(sample), "accepted");
  ImportOptions half;
  half.type = GgmlType::kF16;
  EXPECT_THAT(Import(sample, 1, half).error().message,
              HasSubstr("index 300 that is not finite, or beyond the 65,504 of "
                        "f16"));
}

TEST_F(ImportTest, NamesTensorsThatAreMissingUnknownOrOfAnotherShape) {
  HfSample missing = LlamaSample();
  missing.tensors.erase("model.layers.1.mlp.up_proj.weight");
  EXPECT_EQ(Refusal(missing),
            "the weights have no tensor 'model.layers.1.mlp.up_proj.weight'");
  HfSample deeper = LlamaSample();
  deeper.config["num_hidden_layers"] = 3;
  EXPECT_EQ(
      Refusal(deeper),
      "the weights have no tensor 'model.layers.2.input_layernorm.weight' "
      "and 8 more that LlamaForCausalLM needs");
  HfSample unknown = LlamaSample();
  unknown.Add("model.layers.0.self_attn.q_norm.weight", {4});
  EXPECT_EQ(Refusal(unknown),
            "tiny/model.safetensors: LlamaForCausalLM has no tensor "
            "'model.layers.0.self_attn.q_norm.weight'");
  unknown.Add("vision_tower.weight", {4});
  EXPECT_THAT(Refusal(unknown), HasSubstr(", nor 1 others that are there"));
  HfSample shape = LlamaSample();
  shape.config["intermediate_size"] = 32;
  EXPECT_EQ(Refusal(shape),
            "tiny/model.safetensors: tensor 'model.layers.0.mlp.gate_proj."
            "weight' has the shape [24, 16], by config.json it is [32, 16]");
  HfSample buffers = LlamaSample();
  buffers.Add("model.layers.0.self_attn.rotary_emb.inv_freq", {2});
  EXPECT_EQ(Refusal(buffers), "accepted");
}

TEST_F(ImportTest, SaysWhatTheFolderLacks) {
  EXPECT_EQ(ImportedFile(folder_ + "/none").error().message,
            "no folder " + folder_ + "/none");
  HfSample bare = LlamaSample();
  bare.tokenizer = nullptr;
  EXPECT_EQ(Refusal(bare), "tiny has no tokenizer.json");
  LlamaSample().Write(folder_ + "/tiny");
  std::filesystem::remove(folder_ + "/tiny/config.json");
  EXPECT_EQ(ImportedFile(folder_ + "/tiny").error().code, ErrorCode::kNotFound);
}

TEST_F(ImportTest, TheChatTemplateMayLieInAFile) {
  HfSample sample = LlamaSample();
  sample.settings.erase("chat_template");
  sample.Write(folder_ + "/tiny");
  ASSERT_TRUE(WriteFileAtomically(folder_ + "/tiny/chat_template.jinja", "{{}}")
                  .has_value());
  const auto file = ImportedFile(folder_ + "/tiny");
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_EQ(file->Text("tokenizer.chat_template"), "{{}}");
}

TEST_F(ImportTest, LeavesNothingWhenStopped) {
  ImportOptions options;
  options.stop = stop_.get_token();
  uint64_t parts = 0;
  options.progress = [&](uint64_t done, uint64_t total, std::string_view) {
    EXPECT_LE(done, total);
    if (++parts == 5) stop_.request_stop();
  };
  const auto file = Import(LlamaSample(), 1, options);
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code, ErrorCode::kInterrupted);
  EXPECT_EQ(parts, 5U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(ImportTest, LeavesNothingWhenTheDiskIsFull) {
  LlamaSample().Write(folder_ + "/tiny");
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  auto* old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = 30000;
  setrlimit(RLIMIT_FSIZE, &tight);
  const auto file = ImportedFile(folder_ + "/tiny");
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(file.has_value());
  EXPECT_THAT(file.error().message, HasSubstr("File too large"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

}  // namespace
}  // namespace modicum
