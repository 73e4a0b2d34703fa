package org.anyir.demo.photo

import java.nio.BufferUnderflowException
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * EXIF as the TIFF block that it is, kept byte for byte but for what a result changes. All tags stay, makers' own
 * among them, which a copy tag by tag would lose.
 *
 * Nothing here throws on a damaged block: it is then taken to say nothing.
 */
internal object Exif {
    private const val ORIENTATION = 0x0112
    private const val EXIF_DIRECTORY = 0x8769
    private const val JPEG_AT = 0x0201
    private const val JPEG_BYTES = 0x0202
    private const val STRIP_AT = 0x0111
    private const val STRIP_BYTES = 0x0117

    /** The picture's size stands in EXIF's own directory and, from some writers, in the main one too. */
    private val WIDTHS = setOf(0x0100, 0xa002)
    private val HEIGHTS = setOf(0x0101, 0xa003)
    private const val SHORT = 3
    private const val LONG = 4
    private const val ENTRY = 12

    /** Bytes of one value by its type's number. */
    private val SIZES = intArrayOf(0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8)

    /** 1..8, 1 where the block has none. */
    fun orientation(tiff: ByteArray): Int {
        var found = 1
        visit(tiff) { block, tag, place -> if (tag == ORIENTATION) found = number(block, place) }
        return found.takeIf { it in 1..8 } ?: 1
    }

    /**
     * A copy for an upright result of [width] x [height]: orientation 1, its size, and no thumbnail, which would show
     * the old picture; its bytes are erased too. Null where the block is damaged.
     */
    fun forResult(tiff: ByteArray, width: Int, height: Int): ByteArray? {
        val copy = tiff.copyOf()
        val whole = visit(copy) { block, tag, place ->
            when (tag) {
                ORIENTATION -> setNumber(block, place, 1)
                in WIDTHS -> setNumber(block, place, width)
                in HEIGHTS -> setNumber(block, place, height)
            }
        } ?: return null
        whole.afterFirst?.let { pointer ->
            val thumbnail = whole.block.getInt(pointer)
            if (thumbnail != 0) eraseThumbnail(whole.block, thumbnail, whole.places)
            whole.block.putInt(pointer, 0)
        }
        return copy
    }

    /**
     * Zeroes the picture that the directory at [at] leads to. [kept] is left alone: a directory that lies about where
     * its picture is must not cost the tags.
     */
    private fun eraseThumbnail(block: ByteBuffer, at: Int, kept: List<IntRange>) {
        val found = HashMap<Int, Int>()
        try {
            directory(block, at) { tag, place ->
                // A picture in several strips has lists of their places instead: it is only cut off.
                if (block.getInt(place + 4) == 1) found[tag] = number(block, place)
            }
        } catch (_: IndexOutOfBoundsException) {
            return
        }
        val start = found[JPEG_AT] ?: found[STRIP_AT] ?: return
        val bytes = (if (JPEG_AT in found) found[JPEG_BYTES] else found[STRIP_BYTES]) ?: return
        if (start < 0 || bytes < 0 || start > block.limit() - 2) return
        // Programs that moved things may have left an old place behind, where something else is now.
        if (JPEG_AT in found && (block.get(start) != 0xff.toByte() || block.get(start + 1) != 0xd8.toByte())) return
        val end = minOf(start.toLong() + bytes, block.limit().toLong()).toInt()
        for (i in start until end) if (kept.none { i in it }) block.put(i, 0)
    }

    /** Without the six bytes that JPEG, and some writers of other formats, put before the block. */
    fun withoutHeader(bytes: ByteArray): ByteArray {
        val header = "Exif\u0000\u0000".toByteArray(Charsets.ISO_8859_1)
        val has = bytes.size > header.size && header.indices.all { bytes[it] == header[it] }
        return if (has) bytes.copyOfRange(header.size, bytes.size) else bytes
    }

    /**
     * @property afterFirst place of the pointer to the thumbnail's directory
     * @property places where the header, the directories and the values of their entries lie
     */
    private class Visited(val block: ByteBuffer, val afterFirst: Int?, val places: List<IntRange>)

    /** Calls [entry] with (block, tag, place) for all of the main directory and of EXIF's own. Null: damaged. */
    private fun visit(tiff: ByteArray, entry: (ByteBuffer, Int, Int) -> Unit): Visited? = try {
        val block = ByteBuffer.wrap(tiff)
        val order = String(tiff, 0, minOf(2, tiff.size), Charsets.ISO_8859_1)
        if (order != "II" && order != "MM") throw IndexOutOfBoundsException()
        block.order(if (order == "II") ByteOrder.LITTLE_ENDIAN else ByteOrder.BIG_ENDIAN)
        var exif: Int? = null
        val first = block.getInt(4)
        val places = ArrayList<IntRange>()
        places += 0 until 8
        val main = directory(block, first) { tag, place ->
            if (tag == EXIF_DIRECTORY) exif = block.getInt(place + 8)
            places += values(block, place)
            entry(block, tag, place)
        }
        places += main
        exif?.let { at ->
            places += directory(block, at) { tag, place ->
                places += values(block, place)
                entry(block, tag, place)
            }
        }
        val end = main.last + 1
        Visited(block, end.takeIf { it + 4 <= tiff.size }, places)
    } catch (error: IndexOutOfBoundsException) {
        null
    } catch (error: BufferUnderflowException) {
        null
    }

    /** Calls [entry] with (tag, place) for each; returns where it all lies. */
    private fun directory(block: ByteBuffer, at: Int, entry: (Int, Int) -> Unit): IntRange {
        val count = block.getShort(at).toInt() and 0xffff
        if (count * ENTRY > block.limit() - at) throw IndexOutOfBoundsException()
        for (i in 0 until count) {
            val place = at + 2 + ENTRY * i
            entry(block.getShort(place).toInt() and 0xffff, place)
        }
        return at until at + 2 + ENTRY * count
    }

    /** Where the values of an entry lie that are not in the entry itself; empty if they are. */
    private fun values(block: ByteBuffer, place: Int): IntRange {
        val each = SIZES.getOrElse(block.getShort(place + 2).toInt()) { 0 }
        val bytes = each * (block.getInt(place + 4).toLong() and 0xffffffffL)
        val start = block.getInt(place + 8)
        if (bytes <= 4 || start < 0) return IntRange.EMPTY
        return start until minOf(start + bytes, block.limit().toLong()).toInt()
    }

    private fun number(block: ByteBuffer, place: Int): Int = when (block.getShort(place + 2).toInt()) {
        SHORT -> block.getShort(place + 8).toInt() and 0xffff
        LONG -> block.getInt(place + 8)
        else -> 0
    }

    /** A short that is too small for [value] becomes a long: an entry has room for either. */
    private fun setNumber(block: ByteBuffer, place: Int, value: Int) {
        if (block.getShort(place + 2).toInt() == SHORT && value > 0xffff) block.putShort(place + 2, LONG.toShort())
        when (block.getShort(place + 2).toInt()) {
            SHORT -> block.putShort(place + 8, value.toShort())
            LONG -> block.putInt(place + 8, value)
        }
    }
}
