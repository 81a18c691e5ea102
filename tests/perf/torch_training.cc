// SPDX-License-Identifier: Apache-2.0
// torch_training FILE [STEPS]: what training_speed does, by libtorch: the same
// network from the same numbers over the same texts.
#include <torch/torch.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace {

constexpr int64_t kVocabulary = 8192, kLabels = 2, kWidth = 256, kLayers = 4,
                  kHeads = 8, kFeedForward = 1024, kContext = 64, kTexts = 32,
                  kLength = 32;
constexpr double kRate = 1e-4, kClip = 1, kDecay = 0.01, kEpsilon = 1e-6;

torch::Tensor Read(std::ifstream& in, std::vector<int64_t> sizes) {
  torch::Tensor tensor = torch::empty(sizes, torch::kFloat);
  in.read(static_cast<char*>(tensor.data_ptr()),
          static_cast<std::streamsize>(tensor.numel() * 4));
  return tensor.set_requires_grad(true);
}

struct Network {
  std::vector<torch::Tensor> matrices, vectors;

  torch::Tensor Matrix(std::ifstream& in, int64_t out_size, int64_t in_size) {
    matrices.push_back(Read(in, {out_size, in_size}));
    return matrices.back();
  }
  torch::Tensor Vector(std::ifstream& in, int64_t size) {
    vectors.push_back(Read(in, {size}));
    return vectors.back();
  }
};

struct Linear {
  torch::Tensor weight, bias;
  Linear(Network& net, std::ifstream& in, int64_t to, int64_t from,
         bool has_bias = true)
      : weight(net.Matrix(in, to, from)) {
    if (has_bias) bias = net.Vector(in, to);
  }
  torch::Tensor operator()(const torch::Tensor& x) const {
    return torch::nn::functional::linear(x, weight, bias);
  }
};

struct Norm {
  torch::Tensor gain, bias;
  Norm(Network& net, std::ifstream& in)
      : gain(net.Vector(in, kWidth)), bias(net.Vector(in, kWidth)) {}
  torch::Tensor operator()(const torch::Tensor& x) const {
    return torch::layer_norm(x, {kWidth}, gain, bias, kEpsilon);
  }
};

struct Layer {
  Linear q, k, v, output;
  Norm output_norm;
  Linear up, down;
  Norm layer_norm;
  Layer(Network& net, std::ifstream& in)
      : q(net, in, kWidth, kWidth),
        k(net, in, kWidth, kWidth, false),
        v(net, in, kWidth, kWidth),
        output(net, in, kWidth, kWidth),
        output_norm(net, in),
        up(net, in, kFeedForward, kWidth),
        down(net, in, kWidth, kFeedForward),
        layer_norm(net, in) {}

  static torch::Tensor Split(const torch::Tensor& x) {
    return x.view({kTexts, -1, kHeads, kWidth / kHeads}).transpose(1, 2);
  }
  // Of the last layer the first token of each text alone, as ours.
  torch::Tensor operator()(const torch::Tensor& x, bool last) const {
    const torch::Tensor own = last ? x.slice(1, 0, 1) : x;
    const torch::Tensor scores =
        torch::matmul(Split(q(own)), Split(k(x)).transpose(2, 3)) /
        std::sqrt(static_cast<double>(kWidth / kHeads));
    torch::Tensor mixed = torch::matmul(torch::softmax(scores, 3), Split(v(x)));
    mixed = mixed.transpose(1, 2).reshape({kTexts, -1, kWidth});
    const torch::Tensor attended = output_norm(output(mixed) + own);
    return layer_norm(down(torch::gelu(up(attended), "tanh")) + attended);
  }
};

struct Encoder : Network {
  torch::Tensor tokens, places;
  Norm norm;
  std::vector<Layer> layers;
  Linear pool, classify;

  explicit Encoder(std::ifstream& in)
      : tokens(Matrix(in, kVocabulary, kWidth)),
        places(Matrix(in, kContext, kWidth)),
        norm(*this, in),
        layers(Layers(*this, in)),
        pool(*this, in, kWidth, kWidth),
        classify(*this, in, kLabels, kWidth) {}

  static std::vector<Layer> Layers(Network& net, std::ifstream& in) {
    std::vector<Layer> made;
    for (int64_t i = 0; i < kLayers; ++i) made.emplace_back(net, in);
    return made;
  }
  torch::Tensor operator()(const torch::Tensor& text) const {
    torch::Tensor x = norm(torch::embedding(tokens, text) +
                           places.slice(0, 0, kLength).unsqueeze(0));
    for (size_t i = 0; i < layers.size(); ++i)
      x = layers[i](x, i + 1 == layers.size());
    return classify(torch::tanh(pool(x.select(1, 0))));
  }
};

int Run(const char* path, size_t steps) {
  torch::set_num_threads(1);
  std::ifstream in(path, std::ios::binary);
  const Encoder encoder(in);
  std::vector<torch::Tensor> all = encoder.matrices;
  all.insert(all.end(), encoder.vectors.begin(), encoder.vectors.end());
  using torch::optim::AdamWOptions;
  torch::optim::AdamW adamw(
      {torch::optim::OptimizerParamGroup(
           encoder.matrices, std::make_unique<AdamWOptions>(
                                 AdamWOptions(kRate).weight_decay(kDecay))),
       torch::optim::OptimizerParamGroup(
           encoder.vectors, std::make_unique<AdamWOptions>(
                                AdamWOptions(kRate).weight_decay(0)))},
      AdamWOptions(kRate));
  std::vector<torch::Tensor> texts;
  for (size_t i = 0; i < steps; ++i) {
    std::vector<int32_t> ids(kTexts * kLength);
    in.read(reinterpret_cast<char*>(ids.data()),
            static_cast<std::streamsize>(ids.size() * 4));
    texts.push_back(torch::tensor(ids).view({kTexts, kLength}));
  }
  if (!in) {
    std::fprintf(stderr, "%s is too short\n", path);
    return 1;
  }
  auto from = std::chrono::steady_clock::now();
  for (size_t i = 0; i < steps; ++i) {
    if (i == 2) from = std::chrono::steady_clock::now();
    adamw.zero_grad();
    const torch::Tensor labels = texts[i].select(1, 0).remainder(2);
    const torch::Tensor loss =
        torch::cross_entropy_loss(encoder(texts[i]), labels.to(torch::kLong));
    loss.backward();
    torch::nn::utils::clip_grad_norm_(all, kClip);
    adamw.step();
    std::printf("loss %zu %.6f\n", i, loss.item<double>());
  }
  const std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - from;
  std::printf(
      "tokens/s %.1f\n",
      static_cast<double>((steps - 2) * kTexts * kLength) / seconds.count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: torch_training FILE [STEPS]\n");
    return 2;
  }
  const int steps = argc > 2 ? std::atoi(argv[2]) : 20;
  return Run(argv[1], static_cast<size_t>(steps < 3 ? 3 : steps));
}
