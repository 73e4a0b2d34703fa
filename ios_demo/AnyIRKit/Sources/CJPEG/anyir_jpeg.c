// libjpeg ends by longjmp where a file is damaged, which Swift cannot: all of it happens here.
#include "anyir_jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf back;
    char *message;
} failure;

static void fail(j_common_ptr jpeg) {
    failure *how = (failure *)jpeg->err;
    char text[JMSG_LENGTH_MAX];
    how->base.format_message(jpeg, text);
    snprintf(how->message, sizeof((anyir_jpeg *)0)->error, "%s", text);
    longjmp(how->back, 1);
}

static void warn(j_common_ptr jpeg, int level) {
    if (level < 0) fail(jpeg);
}

void anyir_jpeg_read(const uint8_t *bytes, size_t count, anyir_jpeg *image) {
    struct jpeg_decompress_struct jpeg;
    failure how;
    memset(image, 0, sizeof *image);
    jpeg.err = jpeg_std_error(&how.base);
    how.base.error_exit = fail;
    how.base.emit_message = warn;
    how.message = image->error;
    jpeg_create_decompress(&jpeg);
    if (setjmp(how.back)) {
        jpeg_destroy_decompress(&jpeg);
        anyir_jpeg_free(image);
        return;
    }
    jpeg_mem_src(&jpeg, bytes, count);
    jpeg_save_markers(&jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = JCS_EXT_RGBA;
    jpeg_start_decompress(&jpeg);
    image->width = (int)jpeg.output_width;
    image->height = (int)jpeg.output_height;
    size_t row = 4 * (size_t)jpeg.output_width;
    image->pixels = malloc(row * jpeg.output_height);
    if (image->pixels == NULL) {
        snprintf(image->error, sizeof image->error, "not enough memory");
        longjmp(how.back, 1);
    }
    while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW line = image->pixels + row * jpeg.output_scanline;
        jpeg_read_scanlines(&jpeg, &line, 1);
    }
    for (jpeg_saved_marker_ptr marker = jpeg.marker_list; marker != NULL; marker = marker->next) {
        if (marker->data_length <= 6 || memcmp(marker->data, "Exif\0\0", 6) != 0 || image->exif != NULL) continue;
        image->exif_bytes = marker->data_length - 6;
        image->exif = malloc(image->exif_bytes);
        if (image->exif != NULL) memcpy(image->exif, marker->data + 6, image->exif_bytes);
    }
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
}

void anyir_jpeg_free(anyir_jpeg *image) {
    free(image->pixels);
    free(image->exif);
    image->pixels = image->exif = NULL;
}
