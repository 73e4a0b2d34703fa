package org.anyir.demo.photo

import java.io.Closeable
import java.io.EOFException
import java.io.File
import java.io.RandomAccessFile

/** Reads a file from front to back, and can jump. All numbers are unsigned; big endian unless said. */
internal class ByteReader(file: File) : Closeable {
    private val input = RandomAccessFile(file, "r")
    private val buffer = ByteArray(1 shl 16)
    private var start = 0L
    private var filled = 0
    private var next = 0

    val length: Long = input.length()
    val position: Long get() = start + next

    /** The next byte, 0..255. Throws [EOFException] behind the last one. */
    fun u8(): Int {
        if (next == filled) fill()
        return buffer[next++].toInt() and 0xff
    }

    fun u16(): Int = u8() shl 8 or u8()

    fun u32(): Long = u16().toLong() shl 16 or u16().toLong()

    fun u16le(): Int = u8() or (u8() shl 8)

    fun u32le(): Long = u16le().toLong() or (u16le().toLong() shl 16)

    /** A big-endian number of 0, 2, 4 or 8 bytes, as HEIF has them. */
    fun number(bytes: Int): Long {
        var value = 0L
        repeat(bytes) { value = value shl 8 or u8().toLong() }
        return value
    }

    /** [count] bytes as Latin-1. */
    fun text(count: Int): String = String(bytes(count), Charsets.ISO_8859_1)

    /** [count] bytes; they are known to be there before memory is taken for them. */
    fun bytes(count: Int): ByteArray {
        if (count < 0 || count > length - position) throw EOFException()
        return ByteArray(count) { u8().toByte() }
    }

    /** Goes to [target], counted from the file's beginning; its end itself is allowed. */
    fun seek(target: Long) {
        if (target < 0 || target > length) throw EOFException()
        if (target in start..start + filled) {
            next = (target - start).toInt()
        } else {
            start = target
            filled = 0
            next = 0
        }
    }

    private fun fill() {
        start += filled
        next = 0
        filled = 0
        input.seek(start)
        filled = maxOf(0, input.read(buffer))
        if (filled == 0) throw EOFException()
    }

    override fun close() = input.close()
}
