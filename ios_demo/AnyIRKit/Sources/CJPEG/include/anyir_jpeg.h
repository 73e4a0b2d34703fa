#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A decoded JPEG, or one to be written: RGBA, 4 bytes a pixel; its EXIF block (a TIFF file) and its colour profile, NULL
// where it has none. What was read is to be freed by anyir_jpeg_free.
typedef struct {
    uint8_t *pixels;
    int width, height;
    bool is_grey;
    uint8_t *exif;
    size_t exif_bytes;
    uint8_t *profile;
    size_t profile_bytes;
    char error[200]; // empty where all went well
} anyir_jpeg;

// Decodes a file that lies in memory; warnings, such as an end that is missing, are errors.
void anyir_jpeg_read(const uint8_t *bytes, size_t count, anyir_jpeg *image);
void anyir_jpeg_free(anyir_jpeg *image);

// The bytes of a file, to be freed by free(); NULL and an error where it cannot be made. Alpha is left out, colours keep
// their resolution (4:4:4). The EXIF block has at most 65527 bytes.
uint8_t *anyir_jpeg_write(anyir_jpeg *image, int quality, size_t *count);
