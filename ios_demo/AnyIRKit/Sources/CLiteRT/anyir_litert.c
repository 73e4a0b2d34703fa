// LiteRT's wheel has no headers: what is used of its C API (litert/c/*.h of version 2.3) is declared here, by opaque
// pointers, and found in the library when the program is opened.
#include "anyir_litert.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64, PREPARED = 2, ERROR_BYTES = 200 };
enum { CPU = 1, READ = 0, WRITE = 1 }; // values of LiteRT's own enumerations

// LiteRtRankedTensorType: handed from one function of the library to the next, never looked into. It has less than
// 100 bytes.
typedef struct {
    uint64_t opaque[32];
} tensor_type;

// What is used of the library: result, name, arguments. Handles of all kinds are void pointers here.
#define API(F)                                                                                     \
    F(int, CreateEnvironment, (int, const void *, void **))                                        \
    F(void, DestroyEnvironment, (void *))                                                          \
    F(int, CreateModelFromFile, (void *, const char *, void **))                                   \
    F(void, DestroyModel, (void *))                                                                \
    F(int, CreateOptions, (void **))                                                               \
    F(void, DestroyOptions, (void *))                                                              \
    F(int, SetOptionsHardwareAccelerators, (void *, int))                                          \
    F(int, CreateCompiledModel, (void *, void *, void *, void **))                                 \
    F(void, DestroyCompiledModel, (void *))                                                        \
    F(int, GetNumModelSignatures, (void *, size_t *))                                              \
    F(int, GetModelSignature, (void *, size_t, void **))                                           \
    F(int, GetSignatureKey, (void *, const char **))                                               \
    F(int, GetNumSignatureInputs, (void *, size_t *))                                              \
    F(int, GetNumSignatureOutputs, (void *, size_t *))                                             \
    F(int, GetSignatureInputName, (void *, size_t, const char **))                                 \
    F(int, GetSignatureOutputName, (void *, size_t, const char **))                                \
    F(int, GetSignatureInputTensorByIndex, (void *, size_t, void **))                              \
    F(int, GetSignatureOutputTensorByIndex, (void *, size_t, void **))                             \
    F(int, GetRankedTensorType, (void *, tensor_type *))                                           \
    F(int, GetCompiledModelInputBufferRequirements, (void *, size_t, size_t, void **))             \
    F(int, GetCompiledModelOutputBufferRequirements, (void *, size_t, size_t, void **))            \
    F(int, CreateManagedTensorBufferFromRequirements, (void *, const tensor_type *, void *, void **)) \
    F(int, GetTensorBufferPackedSize, (void *, size_t *))                                          \
    F(int, LockTensorBuffer, (void *, void **, int))                                               \
    F(int, UnlockTensorBuffer, (void *))                                                           \
    F(void, DestroyTensorBuffer, (void *))                                                         \
    F(int, RunCompiledModel, (void *, size_t, size_t, void **, size_t, void **))

typedef struct {
    size_t signature;
    size_t counts[2];          // inputs, outputs
    size_t order[2][MOST];     // the caller's index -> the signature's
    void *buffers[2][MOST];    // by the signature's index
    size_t floats[2][MOST];    // by the caller's index
} prepared_signature;

struct anyir_litert {
#define MEMBER(result, name, arguments) result(*name) arguments;
    API(MEMBER)
#undef MEMBER
    void *environment, *options, *model, *compiled;
    prepared_signature prepared[PREPARED];
    int prepared_count;
};

static bool failed(int status, const char *what, char *error) {
    if (status != 0) snprintf(error, ERROR_BYTES, "LiteRT could not %s (status %d)", what, status);
    return status != 0;
}

anyir_litert *anyir_litert_open(const char *library, const char *model, char *error) {
    anyir_litert *p = calloc(1, sizeof *p);
    if (p == NULL) {
        snprintf(error, ERROR_BYTES, "not enough memory");
        return NULL;
    }
    // It stays loaded: it starts threads that end with the process.
    void *loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (loaded == NULL) {
        snprintf(error, ERROR_BYTES, "LiteRT's library cannot be loaded: %s", dlerror());
        anyir_litert_close(p);
        return NULL;
    }
#define FIND(result, name, arguments)                                                                    \
    *(void **)&p->name = dlsym(loaded, "LiteRt" #name);                                                  \
    if (p->name == NULL) {                                                                               \
        snprintf(error, ERROR_BYTES, "LiteRT has no LiteRt" #name ": another version than 2.3");         \
        anyir_litert_close(p);                                                                           \
        return NULL;                                                                                     \
    }
    API(FIND)
#undef FIND
    if (failed(p->CreateEnvironment(0, NULL, &p->environment), "start", error) ||
        failed(p->CreateModelFromFile(p->environment, model, &p->model), "read the file", error) ||
        failed(p->CreateOptions(&p->options), "make options", error) ||
        failed(p->SetOptionsHardwareAccelerators(p->options, CPU), "choose the CPU", error) ||
        failed(p->CreateCompiledModel(p->environment, p->model, p->options, &p->compiled), "load the program",
               error)) {
        anyir_litert_close(p);
        return NULL;
    }
    return p;
}

void anyir_litert_close(anyir_litert *p) {
    if (p == NULL) return;
    for (int i = 0; i < p->prepared_count; i++)
        for (int side = 0; side < 2; side++)
            for (size_t k = 0; k < p->prepared[i].counts[side]; k++)
                if (p->prepared[i].buffers[side][k]) p->DestroyTensorBuffer(p->prepared[i].buffers[side][k]);
    if (p->compiled) p->DestroyCompiledModel(p->compiled);
    if (p->options) p->DestroyOptions(p->options);
    if (p->model) p->DestroyModel(p->model);
    if (p->environment) p->DestroyEnvironment(p->environment);
    free(p);
}

// The buffers of one side of a signature, and where each name stands in it.
static bool prepare_side(anyir_litert *p, prepared_signature *s, void *signature, int side, const char *const *wanted,
                         size_t count, char *error) {
    int (*count_of)(void *, size_t *) = side ? p->GetNumSignatureOutputs : p->GetNumSignatureInputs;
    int (*name_of)(void *, size_t, const char **) = side ? p->GetSignatureOutputName : p->GetSignatureInputName;
    int (*tensor_of)(void *, size_t, void **) =
        side ? p->GetSignatureOutputTensorByIndex : p->GetSignatureInputTensorByIndex;
    int (*needs_of)(void *, size_t, size_t, void **) =
        side ? p->GetCompiledModelOutputBufferRequirements : p->GetCompiledModelInputBufferRequirements;
    size_t found = 0;
    if (failed(count_of(signature, &found), "count tensors", error)) return false;
    if (found != count || count > MOST) {
        snprintf(error, ERROR_BYTES, "the program has %zu %s where %zu are due", found, side ? "outputs" : "inputs",
                 count);
        return false;
    }
    s->counts[side] = count;
    for (size_t i = 0; i < count; i++) s->order[side][i] = MOST;
    for (size_t k = 0; k < count; k++) {
        const char *text = NULL;
        void *tensor = NULL, *requirements = NULL;
        tensor_type type;
        size_t bytes = 0;
        memset(&type, 0, sizeof type);
        if (failed(name_of(signature, k, &text), "name a tensor", error) ||
            failed(tensor_of(signature, k, &tensor), "find a tensor", error) ||
            failed(p->GetRankedTensorType(tensor, &type), "tell a tensor's type", error) ||
            failed(needs_of(p->compiled, s->signature, k, &requirements), "tell a buffer's size", error) ||
            failed(p->CreateManagedTensorBufferFromRequirements(p->environment, &type, requirements, &s->buffers[side][k]), "make a buffer",
                   error) ||
            failed(p->GetTensorBufferPackedSize(s->buffers[side][k], &bytes), "tell a buffer's size", error))
            return false;
        for (size_t i = 0; i < count; i++) {
            if (strcmp(wanted[i], text) != 0) continue;
            s->order[side][i] = k;
            s->floats[side][i] = bytes / sizeof(float);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (s->order[side][i] != MOST) continue;
        snprintf(error, ERROR_BYTES, "the program has no tensor %s", wanted[i]);
        return false;
    }
    return true;
}

int anyir_litert_prepare(anyir_litert *p, const char *key, const char *const *inputs, size_t input_count,
                         const char *const *outputs, size_t output_count, char *error) {
    size_t count = 0;
    if (p->prepared_count == PREPARED) {
        snprintf(error, ERROR_BYTES, "more signatures than two");
        return -1;
    }
    if (failed(p->GetNumModelSignatures(p->model, &count), "count signatures", error)) return -1;
    for (size_t i = 0; i < count; i++) {
        void *signature = NULL;
        const char *text = NULL;
        if (failed(p->GetModelSignature(p->model, i, &signature), "find a signature", error) ||
            failed(p->GetSignatureKey(signature, &text), "name a signature", error))
            return -1;
        if (strcmp(text, key) != 0) continue;
        prepared_signature *s = &p->prepared[p->prepared_count++];
        s->signature = i;
        bool ready = prepare_side(p, s, signature, 0, inputs, input_count, error) &&
                     prepare_side(p, s, signature, 1, outputs, output_count, error);
        return ready ? p->prepared_count - 1 : -1;
    }
    snprintf(error, ERROR_BYTES, "the program has no signature %s", key);
    return -1;
}

size_t anyir_litert_size(const anyir_litert *p, int prepared, bool output, size_t index) {
    return p->prepared[prepared].floats[output][index];
}

static bool copy(anyir_litert *p, int prepared, int side, size_t index, float *values, char *error) {
    prepared_signature *s = &p->prepared[prepared];
    void *buffer = s->buffers[side][s->order[side][index]], *memory = NULL;
    if (failed(p->LockTensorBuffer(buffer, &memory, side ? READ : WRITE), "open a buffer", error)) return false;
    size_t bytes = s->floats[side][index] * sizeof(float);
    memcpy(side ? (void *)values : memory, side ? memory : (void *)values, bytes);
    return !failed(p->UnlockTensorBuffer(buffer), "close a buffer", error);
}

bool anyir_litert_give(anyir_litert *p, int prepared, size_t input, const float *values, char *error) {
    return copy(p, prepared, 0, input, (float *)values, error);
}

bool anyir_litert_read(anyir_litert *p, int prepared, size_t output, float *values, char *error) {
    return copy(p, prepared, 1, output, values, error);
}

bool anyir_litert_run(anyir_litert *p, int prepared, char *error) {
    prepared_signature *s = &p->prepared[prepared];
    return !failed(p->RunCompiledModel(p->compiled, s->signature, s->counts[0], s->buffers[0], s->counts[1], s->buffers[1]),
                   "run the program", error);
}
