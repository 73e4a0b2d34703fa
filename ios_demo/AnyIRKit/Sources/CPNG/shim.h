#pragma once
#include <png.h>
#include <zlib.h>

// Macros that Swift does not see.
static const png_uint_32 anyir_png_rgba = PNG_FORMAT_RGBA;
static const png_uint_32 anyir_png_rgb = PNG_FORMAT_RGB;
static const png_uint_32 anyir_png_gray_alpha = PNG_FORMAT_GA;
static const png_uint_32 anyir_png_gray = PNG_FORMAT_GRAY;
static const png_uint_32 anyir_png_colour = PNG_FORMAT_FLAG_COLOR;
static const png_uint_32 anyir_png_own_colours = PNG_IMAGE_FLAG_COLORSPACE_NOT_sRGB;
static const png_uint_32 anyir_png_version = PNG_IMAGE_VERSION;

// The most bytes that a file of this picture can have.
static inline size_t anyir_png_most(png_image image) { return PNG_IMAGE_PNG_SIZE_MAX(image); }
