#pragma once
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// An ExecuTorch program, through the headers and libraries of executorch's wheel.
typedef struct anyir_executorch anyir_executorch;

// What went wrong is in `error`, of at least 200 bytes; NULL then.
anyir_executorch *anyir_executorch_open(const char *model, char *error);
void anyir_executorch_close(anyir_executorch *program);

// Takes a method's memory, and gives it back with all that the method gave.
bool anyir_executorch_load(anyir_executorch *program, const char *method, char *error);
void anyir_executorch_unload(anyir_executorch *program, const char *method);

// How many tensors a method takes or gives, and how many floats one holds; 0: no such tensor, or not of floats.
size_t anyir_executorch_count(anyir_executorch *program, const char *method, bool output);
size_t anyir_executorch_size(anyir_executorch *program, const char *method, bool output, size_t index);

// Runs a method. Inputs are used where they lie; outputs are copied.
bool anyir_executorch_run(anyir_executorch *program, const char *method, float *const *inputs, size_t input_count,
                          char *error);
bool anyir_executorch_read(anyir_executorch *program, size_t output, float *values, size_t count, char *error);

#ifdef __cplusplus
}
#endif
