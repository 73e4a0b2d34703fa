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
    private const val WIDTH = 0xa002
    private const val HEIGHT = 0xa003
    private const val SHORT = 3
    private const val LONG = 4
    private const val ENTRY = 12

    /** 1..8, 1 where the block has none. */
    fun orientation(tiff: ByteArray): Int {
        var found = 1
        visit(tiff) { block, tag, place -> if (tag == ORIENTATION) found = number(block, place) }
        return found.takeIf { it in 1..8 } ?: 1
    }

    /**
     * A copy for an upright result of [width] x [height]: orientation 1, its size, and no thumbnail, which would show
     * the old picture. Null where the block is damaged.
     */
    fun forResult(tiff: ByteArray, width: Int, height: Int): ByteArray? {
        val copy = tiff.copyOf()
        val whole = visit(copy) { block, tag, place ->
            when (tag) {
                ORIENTATION -> setNumber(block, place, 1)
                WIDTH -> setNumber(block, place, width)
                HEIGHT -> setNumber(block, place, height)
            }
        } ?: return null
        whole.afterFirst?.let { ByteBuffer.wrap(copy).putInt(it, 0) }
        return copy
    }

    /** Without the six bytes that JPEG, and some writers of other formats, put before the block. */
    fun withoutHeader(bytes: ByteArray): ByteArray {
        val header = "Exif\u0000\u0000".toByteArray(Charsets.ISO_8859_1)
        val has = bytes.size > header.size && header.indices.all { bytes[it] == header[it] }
        return if (has) bytes.copyOfRange(header.size, bytes.size) else bytes
    }

    /** @property afterFirst place of the pointer to the thumbnail's directory */
    private class Visited(val afterFirst: Int?)

    /** Calls [entry] with (block, tag, place) for all of the main directory and of EXIF's own. Null: damaged. */
    private fun visit(tiff: ByteArray, entry: (ByteBuffer, Int, Int) -> Unit): Visited? = try {
        val block = ByteBuffer.wrap(tiff)
        val order = String(tiff, 0, minOf(2, tiff.size), Charsets.ISO_8859_1)
        if (order != "II" && order != "MM") throw IndexOutOfBoundsException()
        block.order(if (order == "II") ByteOrder.LITTLE_ENDIAN else ByteOrder.BIG_ENDIAN)
        var exif: Int? = null
        val first = block.getInt(4)
        directory(block, first) { tag, place ->
            if (tag == EXIF_DIRECTORY) exif = block.getInt(place + 8)
            entry(block, tag, place)
        }
        exif?.let { at -> directory(block, at) { tag, place -> entry(block, tag, place) } }
        val end = first + 2 + ENTRY * block.getShort(first).toInt().and(0xffff)
        Visited(end.takeIf { it + 4 <= tiff.size })
    } catch (error: IndexOutOfBoundsException) {
        null
    } catch (error: BufferUnderflowException) {
        null
    }

    private fun directory(block: ByteBuffer, at: Int, entry: (Int, Int) -> Unit) {
        val count = block.getShort(at).toInt() and 0xffff
        if (count * ENTRY > block.limit() - at) throw IndexOutOfBoundsException()
        for (i in 0 until count) {
            val place = at + 2 + ENTRY * i
            entry(block.getShort(place).toInt() and 0xffff, place)
        }
    }

    private fun number(block: ByteBuffer, place: Int): Int = when (block.getShort(place + 2).toInt()) {
        SHORT -> block.getShort(place + 8).toInt() and 0xffff
        LONG -> block.getInt(place + 8)
        else -> 0
    }

    private fun setNumber(block: ByteBuffer, place: Int, value: Int) {
        when (block.getShort(place + 2).toInt()) {
            SHORT -> block.putShort(place + 8, value.toShort())
            LONG -> block.putInt(place + 8, value)
        }
    }
}
