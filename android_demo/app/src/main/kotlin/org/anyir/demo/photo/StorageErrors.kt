package org.anyir.demo.photo

import android.system.ErrnoException
import android.system.OsConstants
import java.io.FilterOutputStream
import java.io.IOException
import java.io.OutputStream

/** Linux's words for a full disk and a full quota, for whoever hands on the message alone. */
private val FULL = listOf("No space left on device", "Disk quota exceeded")

/** Whether this failure, or one that it comes from, says that the phone is full. */
internal fun Throwable.saysNoSpace(): Boolean = generateSequence(this) { it.cause }.take(MAX_CAUSES).any { error ->
    when (error) {
        is ErrnoException -> error.errno == OsConstants.ENOSPC || error.errno == OsConstants.EDQUOT
        is IOException -> FULL.any { it in error.message.orEmpty() }
        else -> false
    }
}

private const val MAX_CAUSES = 10

/** Remembers why writing failed, for writers that only tell that it did. The stream below stays open. */
internal class RememberingStream(private val output: OutputStream) : FilterOutputStream(output) {
    var failure: IOException? = null
        private set

    override fun write(byte: Int) = remembering { output.write(byte) }

    override fun write(bytes: ByteArray, offset: Int, length: Int) = remembering { output.write(bytes, offset, length) }

    override fun flush() = remembering { output.flush() }

    override fun close() = flush()

    private fun remembering(action: () -> Unit) = try {
        action()
    } catch (error: IOException) {
        failure = error
        throw error
    }
}
