#include "anyir_executorch.h"

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <executorch/extension/module/module.h>
#include <executorch/extension/tensor/tensor.h>
#include <executorch/runtime/platform/runtime.h>

using executorch::aten::ScalarType;
using executorch::extension::from_blob;
using executorch::extension::Module;
using executorch::runtime::Error;
using executorch::runtime::EValue;

struct anyir_executorch {
    explicit anyir_executorch(const char *path) : module(path) {}

    Module module;
    std::vector<EValue> outputs;
};

namespace {

constexpr size_t error_bytes = 200;

bool failed(Error status, const char *what, char *error) {
    if (status == Error::Ok) return false;
    std::snprintf(error, error_bytes, "ExecuTorch could not %s (error 0x%02x)", what, static_cast<int>(status));
    return true;
}

} // namespace

anyir_executorch *anyir_executorch_open(const char *model, char *error) {
    executorch::runtime::runtime_init();
    auto program = std::make_unique<anyir_executorch>(model);
    if (failed(program->module.load(), "read the file", error)) return nullptr;
    return program.release();
}

bool anyir_executorch_load(anyir_executorch *program, const char *method, char *error) {
    std::string what = std::string("load ") + method;
    return !failed(program->module.load_method(method), what.c_str(), error);
}

void anyir_executorch_unload(anyir_executorch *program, const char *method) {
    program->outputs.clear();
    program->module.unload_method(method);
}

void anyir_executorch_close(anyir_executorch *program) { delete program; }

size_t anyir_executorch_count(anyir_executorch *program, const char *method, bool output) {
    auto meta = program->module.method_meta(method);
    if (!meta.ok()) return 0;
    return output ? meta->num_outputs() : meta->num_inputs();
}

size_t anyir_executorch_size(anyir_executorch *program, const char *method, bool output, size_t index) {
    auto meta = program->module.method_meta(method);
    if (!meta.ok()) return 0;
    auto tensor = output ? meta->output_tensor_meta(index) : meta->input_tensor_meta(index);
    if (!tensor.ok() || tensor->scalar_type() != ScalarType::Float) return 0;
    return tensor->nbytes() / sizeof(float);
}

bool anyir_executorch_run(anyir_executorch *program, const char *method, float *const *inputs, size_t input_count,
                          char *error) {
    auto meta = program->module.method_meta(method);
    if (failed(meta.error(), "find the method", error)) return false;
    std::vector<executorch::extension::TensorPtr> tensors;
    std::vector<EValue> values;
    for (size_t i = 0; i < input_count; i++) {
        auto tensor = meta->input_tensor_meta(i);
        if (failed(tensor.error(), "find an input", error)) return false;
        std::vector<executorch::aten::SizesType> sizes(tensor->sizes().begin(), tensor->sizes().end());
        tensors.push_back(from_blob(inputs[i], sizes));
        values.emplace_back(tensors.back());
    }
    auto result = program->module.execute(method, values);
    if (failed(result.error(), "run the program", error)) return false;
    program->outputs = std::move(*result);
    return true;
}

bool anyir_executorch_read(anyir_executorch *program, size_t output, float *values, size_t count, char *error) {
    if (output >= program->outputs.size() || !program->outputs[output].isTensor()) {
        std::snprintf(error, error_bytes, "the program gave no output %zu", output);
        return false;
    }
    const auto &tensor = program->outputs[output].toTensor();
    if (tensor.scalar_type() != ScalarType::Float || tensor.nbytes() != count * sizeof(float)) {
        std::snprintf(error, error_bytes, "output %zu does not hold %zu floats", output, count);
        return false;
    }
    std::memcpy(values, tensor.const_data_ptr<float>(), count * sizeof(float));
    return true;
}
