#pragma once
#include <stdbool.h>
#include <stddef.h>

// A LiteRT program on the CPU, through the libLiteRt.so of ai-edge-litert 2.3 (its C API changes between versions).
typedef struct anyir_litert anyir_litert;

// What went wrong is in `error`, of at least 200 bytes; NULL then.
anyir_litert *anyir_litert_open(const char *library, const char *model, char *error);
void anyir_litert_close(anyir_litert *program);

// One signature, ready to run; its inputs and outputs in the order of these names. A number, or -1 and the error.
int anyir_litert_prepare(anyir_litert *program, const char *signature, const char *const *inputs, size_t input_count,
                         const char *const *outputs, size_t output_count, char *error);

// How many floats an input or output of a prepared signature holds.
size_t anyir_litert_size(const anyir_litert *program, int prepared, bool output, size_t index);

// These three make a run: every input is given, the run, every output is read.
bool anyir_litert_give(anyir_litert *program, int prepared, size_t input, const float *values, char *error);
bool anyir_litert_run(anyir_litert *program, int prepared, char *error);
bool anyir_litert_read(anyir_litert *program, int prepared, size_t output, float *values, char *error);
