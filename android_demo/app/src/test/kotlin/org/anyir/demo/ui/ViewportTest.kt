package org.anyir.demo.ui

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import kotlin.random.Random

class ViewportTest {
    private val view = Viewport().apply {
        setView(1000, 1600)
        setPhoto(4000, 3000)
    }

    @Test
    fun `a photo is seen whole and centred`() {
        assertEquals(0.25f, view.scale)
        assertEquals(0f, view.left)
        assertEquals(425f, view.top)
        assertFalse(view.zoomed)
    }

    @Test
    fun `zooming keeps what is under the fingers there`() {
        val (x, y) = Pair(300f, 700f)
        val under = Pair((x - view.left) / view.scale, (y - view.top) / view.scale)
        view.zoomBy(6f, x, y)
        assertEquals(under.first, (x - view.left) / view.scale, 0.5f)
        assertEquals(under.second, (y - view.top) / view.scale, 0.5f)
        assertTrue(view.zoomed)
    }

    @Test
    fun `no movement leaves a gap or passes the limits`() {
        val random = Random(1)
        repeat(5000) {
            when (random.nextInt(3)) {
                0 -> view.zoomBy(
                    random.nextDouble(0.1, 9.0).toFloat(),
                    random.nextInt(1000).toFloat(),
                    random.nextInt(1600).toFloat(),
                )
                1 -> view.panBy(random.nextInt(-5000, 5000).toFloat(), random.nextInt(-5000, 5000).toFloat())
                else -> view.setView(random.nextInt(1, 2000), random.nextInt(1, 2000))
            }
            assertTrue(view.scale >= view.fitScale * 0.999f && view.scale <= view.maxScale * 1.001f)
            val width = 4000 * view.scale
            if (width > view.viewWidth) {
                assertTrue(view.left <= 0.01f && view.right >= view.viewWidth - 0.51f)
            } else {
                assertEquals((view.viewWidth - width) / 2, view.left, 0.01f)
            }
        }
    }

    @Test
    fun `a rotation keeps the zoom and the middle`() {
        view.zoomBy(8f, 100f, 800f)
        val (zoom, x, y) = Triple(view.zoom, view.centreX, view.centreY)
        view.setView(1600, 1000)
        view.setView(1000, 1600)
        assertEquals(zoom, view.zoom, 0.01f)
        assertEquals(x, view.centreX, 0.1f)
        assertEquals(y, view.centreY, 0.1f)
    }

    @Test
    fun `samples leave at least one pixel for each pixel of the view`() {
        assertEquals(1, PhotoLayer.sampleFor(1f))
        assertEquals(1, PhotoLayer.sampleFor(0.51f))
        assertEquals(2, PhotoLayer.sampleFor(0.5f))
        assertEquals(4, PhotoLayer.sampleFor(0.13f))
        assertEquals(1, PhotoLayer.sampleFor(9f))
    }
}
