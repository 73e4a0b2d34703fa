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
    jpeg_save_markers(&jpeg, JPEG_APP0 + 2, 0xffff);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = JCS_EXT_RGBA;
    image->is_grey = jpeg.num_components == 1;
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
    unsigned profile_bytes = 0;
    if (jpeg_read_icc_profile(&jpeg, &image->profile, &profile_bytes)) image->profile_bytes = profile_bytes;
    for (jpeg_saved_marker_ptr marker = jpeg.marker_list; marker != NULL; marker = marker->next) {
        if (marker->marker != JPEG_APP0 + 1 || marker->data_length <= 6 || memcmp(marker->data, "Exif\0\0", 6) != 0 || image->exif != NULL) continue;
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
    free(image->profile);
    image->pixels = image->exif = image->profile = NULL;
}

uint8_t *anyir_jpeg_write(anyir_jpeg *image, int quality, size_t *count) {
    struct jpeg_compress_struct jpeg;
    failure how;
    unsigned char *memory = NULL;
    unsigned long size = 0;
    jpeg.err = jpeg_std_error(&how.base);
    how.base.error_exit = fail;
    how.base.emit_message = warn;
    how.message = image->error;
    jpeg_create_compress(&jpeg);
    if (setjmp(how.back)) {
        // Only so does it say where its memory is now.
        if (jpeg.dest != NULL) jpeg.dest->term_destination(&jpeg);
        free(memory);
        jpeg_destroy_compress(&jpeg);
        return NULL;
    }
    jpeg_mem_dest(&jpeg, &memory, &size);
    jpeg.image_width = (JDIMENSION)image->width;
    jpeg.image_height = (JDIMENSION)image->height;
    jpeg.input_components = 4;
    jpeg.in_color_space = JCS_EXT_RGBA;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, image->is_grey ? JCS_GRAYSCALE : JCS_YCbCr);
    jpeg_set_quality(&jpeg, quality, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&jpeg, TRUE);
    if (image->exif_bytes > 0) {
        jpeg_write_m_header(&jpeg, JPEG_APP0 + 1, (unsigned)image->exif_bytes + 6);
        for (int i = 0; i < 6; i++) jpeg_write_m_byte(&jpeg, "Exif\0\0"[i]);
        for (size_t i = 0; i < image->exif_bytes; i++) jpeg_write_m_byte(&jpeg, image->exif[i]);
    }
    if (image->profile_bytes > 0) jpeg_write_icc_profile(&jpeg, image->profile, (unsigned)image->profile_bytes);
    size_t row = 4 * (size_t)image->width;
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW line = image->pixels + row * jpeg.next_scanline;
        jpeg_write_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    *count = size;
    return memory;
}
