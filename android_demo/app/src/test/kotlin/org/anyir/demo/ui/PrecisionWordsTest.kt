package org.anyir.demo.ui

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** The precisions of the recipes in docs/guides/convert.md. */
@RunWith(RobolectricTestRunner::class)
class PrecisionWordsTest {
    private val words = Words(RuntimeEnvironment.getApplication())

    @Test
    fun `every precision that is offered has a name of its own and a sentence`() {
        val offered =
            listOf("fp32", "fp16", "int8", "int8w", "int16x8", "mixed", "pal6", "pal6g", "pal4", "pal4g")
        for (precision in offered) assertNotNull(precision, words.goodFor(precision))
        val names = offered.map { words.precision(it) }
        assertEquals(emptyList<String>(), names.filter { it in offered })
        assertEquals(offered.size, names.toSet().size)
    }

    @Test
    fun `one that nobody knows is called as it is`() {
        assertEquals("int2", words.precision("int2"))
        assertNull(words.goodFor("int2"))
    }
}
