#pragma once
#include <stddef.h>
#include <stdint.h>

// A decoded JPEG: RGBA, 4 bytes a pixel, and its EXIF block (a TIFF file), each to be freed by anyir_jpeg_free.
typedef struct {
    uint8_t *pixels;
    int width, height;
    uint8_t *exif;
    size_t exif_bytes;
    char error[200]; // empty where all went well
} anyir_jpeg;

// Decodes a file that lies in memory; warnings, such as an end that is missing, are errors.
void anyir_jpeg_read(const uint8_t *bytes, size_t count, anyir_jpeg *image);
void anyir_jpeg_free(anyir_jpeg *image);
