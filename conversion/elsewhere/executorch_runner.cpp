// Runs an ExecuTorch program's two methods on tiles, each by its own statistics, for
// conversion/elsewhere/arm64.py, which compiles it against the libraries in ExecuTorch's wheel.
//
//   executorch_runner PROGRAM TILES OUT
//
// TILES and OUT: float32 values of (1, 3, T, T) one after the other, T as the program has it.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <executorch/extension/module/module.h>
#include <executorch/extension/tensor/tensor.h>

using executorch::extension::from_blob;
using executorch::extension::Module;
using executorch::runtime::EValue;

template <typename T>
T need(executorch::runtime::Result<T> result, const char* what) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s: ExecuTorch error %d\n", what, static_cast<int>(result.error()));
    std::exit(1);
  }
  return std::move(result.get());
}

int main(int count, char** arguments) {
  if (count != 4) {
    std::fprintf(stderr, "usage: executorch_runner PROGRAM TILES OUT\n");
    return 2;
  }
  std::ifstream file(arguments[2], std::ios::binary);
  std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  std::vector<float> tiles(bytes.size() / sizeof(float));
  std::memcpy(tiles.data(), bytes.data(), tiles.size() * sizeof(float));

  Module module(arguments[1]);
  auto about = need(module.method_meta("restore"), "restore");
  auto image = need(about.input_tensor_meta(0), "restore's first input");
  std::vector<executorch::aten::SizesType> shape(image.sizes().begin(), image.sizes().end());
  const size_t values = image.nbytes() / sizeof(float);
  if (values == 0 || tiles.empty() || tiles.size() % values != 0) {
    std::fprintf(stderr, "%zu values are no tiles of %zu\n", tiles.size(), values);
    return 1;
  }
  std::ofstream out(arguments[3], std::ios::binary);
  for (size_t from = 0; from < tiles.size(); from += values) {
    auto tile = from_blob(tiles.data() + from, shape);
    std::vector<EValue> inputs = {EValue(*tile)};
    auto statistics = need(module.execute("look", inputs), "look");
    inputs.insert(inputs.end(), statistics.begin(), statistics.end());
    auto outputs = need(module.execute("restore", inputs), "restore");
    auto restored = outputs[0].toTensor();
    out.write(reinterpret_cast<const char*>(restored.const_data_ptr()), restored.nbytes());
  }
  out.close();
  if (!out) {
    std::fprintf(stderr, "%s cannot be written\n", arguments[3]);
    return 1;
  }
  std::printf("[\"executorch\", \"%s\"]\n", VERSION);
  return 0;
}
