package org.anyir.demo.photo

import android.system.ErrnoException
import android.system.OsConstants
import org.anyir.demo.R
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertSame
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.OutputStream

@RunWith(RobolectricTestRunner::class)
class StorageErrorsTest {
    private fun failed(number: Int) = IOException("write failed", ErrnoException("write", number))

    @Test
    fun `a phone is full where the system says so, and not where something else is wrong`() {
        assertTrue(failed(OsConstants.ENOSPC).saysNoSpace())
        assertTrue(failed(OsConstants.EDQUOT).saysNoSpace())
        assertTrue(IOException("No space left on device").saysNoSpace())
        assertFalse(failed(OsConstants.EIO).saysNoSpace())
        assertFalse(IOException("cannot be renamed").saysNoSpace())
    }

    @Test
    fun `an encoder that fails is not a full phone`() {
        val error = assertThrows(PhotoException::class.java) { encode(ByteArrayOutputStream()) { false } }
        assertEquals(R.string.save_not_encoded, error.sentence.id)
        assertFalse(error.saysNoSpace())
        encode(ByteArrayOutputStream()) { true }
    }

    @Test
    fun `a full phone is told though the encoder hides it`() {
        val full = failed(OsConstants.ENOSPC)
        val stream = object : OutputStream() {
            override fun write(byte: Int) = throw full
        }
        val hiding = { output: OutputStream ->
            try {
                output.write(1)
                true
            } catch (_: IOException) {
                false
            }
        }
        assertSame(full, assertThrows(IOException::class.java) { encode(stream, hiding) })
    }
}
