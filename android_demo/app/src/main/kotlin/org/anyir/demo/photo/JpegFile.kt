package org.anyir.demo.photo

import java.io.File
import java.io.OutputStream

private const val SOI = 0xd8
private const val EOI = 0xd9
private const val SOS = 0xda
private const val APP1 = 0xe1
private const val APP2 = 0xe2
private const val EXIF_HEADER = "Exif\u0000\u0000"
private const val GAIN_MAP = "ns.adobe.com/hdr-gain-map"
private const val ISO_GAIN_MAP = "urn:iso:std:iso:ts:21496:-1"
private const val MAX_SEGMENT = 0xffff - 2

/** A JPEG's segments up to its end-of-image marker. What lies behind that, a second picture or a video, is not read. */
internal fun readJpeg(bytes: ByteReader): FileFacts {
    var exif: ByteArray? = null
    var components = 3
    var gainMap = false
    bytes.u16()
    while (true) {
        val marker = nextMarker(bytes)
        if (marker == EOI) break
        if (marker == 0x01 || marker in 0xd0..SOI) continue
        val end = bytes.position + maxOf(2, bytes.u16())
        when {
            marker == APP1 || marker == APP2 -> {
                val content = bytes.bytes((end - bytes.position).toInt())
                val text = String(content, Charsets.ISO_8859_1)
                if (exif == null && text.startsWith(EXIF_HEADER)) exif = Exif.withoutHeader(content)
                gainMap = gainMap || GAIN_MAP in text || text.startsWith(ISO_GAIN_MAP)
            }
            // Start of frame: precision, height, width, components. DHT, JPG and DAC share its range.
            marker in 0xc0..0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc -> {
                bytes.seek(bytes.position + 5)
                components = bytes.u8()
            }
        }
        bytes.seek(end)
        // Of the compressed pixels only the markers between them are looked at.
        if (marker == SOS) skipScan(bytes)
    }
    val orientation = exif?.let { Exif.orientation(it) } ?: 1
    return FileFacts(
        PhotoFormat.JPEG,
        exif,
        orientation,
        grey = components == 1,
        gainMap = gainMap,
        cmyk = components == 4,
    )
}

private fun nextMarker(bytes: ByteReader): Int {
    while (bytes.u8() != 0xff) Unit
    var marker = bytes.u8()
    while (marker == 0xff) marker = bytes.u8()
    return marker
}

/** Goes to the marker that ends a scan: not a stuffed FF00, not a restart marker. */
private fun skipScan(bytes: ByteReader) {
    while (true) {
        if (bytes.u8() != 0xff) continue
        var marker = bytes.u8()
        while (marker == 0xff) marker = bytes.u8()
        if (marker != 0 && marker !in 0xd0..0xd7) {
            bytes.seek(bytes.position - 2)
            return
        }
    }
}

/** Copies the JPEG [file] to [output] with [exif] (a TIFF block) as its first segment. False where it is too long. */
internal fun copyJpegWithExif(file: File, exif: ByteArray?, output: OutputStream): Boolean {
    val fits = exif == null || exif.size + EXIF_HEADER.length <= MAX_SEGMENT
    file.inputStream().use { input ->
        if (exif != null && fits) {
            val length = exif.size + EXIF_HEADER.length + 2
            repeat(2) { output.write(input.read()) }
            output.write(byteArrayOf(0xff.toByte(), APP1.toByte(), (length shr 8).toByte(), length.toByte()))
            output.write(EXIF_HEADER.toByteArray(Charsets.ISO_8859_1))
            output.write(exif)
        }
        input.copyTo(output)
    }
    return fits
}
