package org.anyir.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class PercentileTest {
    @Test
    fun `percentiles are numpy's`() {
        val samples = listOf(7.0, 1.0, 3.0, 10.0)
        // numpy.percentile([7, 1, 3, 10], [0, 25, 50, 90, 99, 100])
        val expected = mapOf(0.0 to 1.0, 25.0 to 2.5, 50.0 to 5.0, 90.0 to 9.1, 99.0 to 9.91, 100.0 to 10.0)
        for ((share, value) in expected) assertEquals(value, percentile(samples, share), 1e-12)
        assertEquals(4.0, percentile(listOf(4.0), 99.0), 0.0)
    }

    @Test
    fun `no samples and shares out of range are refused`() {
        assertThrows(IllegalArgumentException::class.java) { percentile(emptyList(), 50.0) }
        for (share in listOf(-1.0, 100.5, Double.NaN)) {
            assertThrows(IllegalArgumentException::class.java) { percentile(listOf(1.0), share) }
        }
    }
}
