#pragma once
#include <png.h>

// Macros that Swift does not see.
static const png_uint_32 anyir_png_rgba = PNG_FORMAT_RGBA;
static const png_uint_32 anyir_png_rgb = PNG_FORMAT_RGB;
static const png_uint_32 anyir_png_version = PNG_IMAGE_VERSION;
