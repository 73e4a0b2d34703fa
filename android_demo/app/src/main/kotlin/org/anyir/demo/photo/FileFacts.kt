package org.anyir.demo.photo

import org.anyir.demo.R
import java.io.EOFException
import java.io.File
import java.io.IOException

/**
 * What a file says about its picture, read without decoding a pixel.
 *
 * @property exif the TIFF block of its EXIF, or null
 * @property orientation 1..8 as in EXIF, to be applied by whoever decodes; 1 where Android's decoder does it itself
 * @property grey whether it has one colour channel
 * @property bits a colour channel
 * @property gainMap whether it carries an HDR gain map
 * @property cmyk whether its colours are those of print
 */
internal class FileFacts(
    val format: PhotoFormat,
    val exif: ByteArray? = null,
    val orientation: Int = 1,
    val grey: Boolean = false,
    val bits: Int = 8,
    val gainMap: Boolean = false,
    val cmyk: Boolean = false,
) {
    /** Sentences about what the result will not have. */
    val notes: List<Sentence>
        get() = listOfNotNull(
            Sentence(R.string.note_gain_map).takeIf { gainMap },
            Sentence(R.string.note_cmyk).takeIf { cmyk },
            Sentence(R.plurals.note_bits, listOf(bits)).takeIf { bits > 8 },
            Sentence(R.string.note_format, listOf(format.saved.label, format.label)).takeIf { format.saved != format },
        )

    companion object {
        /**
         * Reads [file], whose whole structure is checked, so that a photo that lost its end is not restored half grey.
         *
         * @throws PhotoException not a picture, cut off, damaged or animated
         */
        fun read(file: File): FileFacts = try {
            ByteReader(file).use { bytes ->
                val head = ByteArray(minOf(16L, bytes.length).toInt()) { bytes.u8().toByte() }
                val read = reader(String(head, Charsets.ISO_8859_1)) ?: throw PhotoException(R.string.photo_not_a_photo)
                bytes.seek(0)
                read(bytes)
            }
        } catch (error: PhotoException) {
            throw error
        } catch (error: EOFException) {
            throw PhotoException(R.string.photo_cut_off, error)
        } catch (error: IOException) {
            throw PhotoException(R.string.photo_cannot_read, error)
        }

        private fun reader(head: String): ((ByteReader) -> FileFacts)? = when {
            head.startsWith("\u00ff\u00d8\u00ff") -> ::readJpeg
            head.startsWith("\u0089PNG\r\n\u001a\n") -> ::readPng
            head.startsWith("RIFF") && head.startsWith("WEBP", 8) -> ::readWebp
            head.startsWith("GIF8") -> ::readGif
            head.startsWith("BM") -> ::readBmp
            head.startsWith("ftyp", 4) -> ::readHeif
            else -> null
        }
    }
}
