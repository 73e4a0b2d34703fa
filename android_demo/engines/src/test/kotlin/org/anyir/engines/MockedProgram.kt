package org.anyir.engines

import io.mockk.every
import io.mockk.mockk
import org.anyir.core.Entries
import org.anyir.core.Entry
import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.Operators
import org.anyir.core.Statistics
import org.anyir.core.TensorSpec
import org.anyir.core.TileSize
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

internal const val VALUES = 3 * 8 * 8
private val STATISTIC_SIZES = listOf(1, 4)

/**
 * A program that a mocked runtime plays: what it finds in a sheet are two statistics, and what it makes of a tile needs
 * both in their places, as does the answer that [restored] expects.
 */
internal object MockedProgram {
    val image = spec("image", 1, 3, 8, 8)
    val statistics = listOf(spec("statistics_0", 1, 1, 1, 1), spec("statistics_1", 1, 1, 2, 2))
    val restored = spec("restored", 1, 3, 8, 8)

    fun look(sheet: FloatArray): List<FloatArray> =
        listOf(floatArrayOf(2 + sheet[0]), floatArrayOf(sheet[1], sheet[2], sheet[3], sheet[4]))

    fun restore(tile: FloatArray, statistics: List<FloatArray>): FloatArray {
        assertEquals(STATISTIC_SIZES, statistics.map { it.size })
        return FloatArray(tile.size) { statistics[0][0] * tile[it] + statistics[1][3] }
    }

    fun model(precision: String = "fp32", delegated: Long = 700): Model {
        val look = Entry(listOf(image), statistics, Operators(400, 400, 1))
        val restore = Entry(listOf(image) + statistics, listOf(restored), Operators(700, delegated, 1))
        val manifest = mockk<Manifest> {
            every { name } returns "tiny"
            every { tile } returns 8
            every { tileSize } returns TileSize(8)
            every { entries } returns Entries(look, restore)
        }
        every { manifest.precision } returns precision
        return Model(manifest, File("tiny.tflite"))
    }

    private fun spec(name: String, vararg shape: Long) = TensorSpec(name, shape.toList(), "float32", "NCHW", null)
}

/** Looks at two photos and restores tiles of both in turn, and once more after a new look into the same room. */
internal fun assertRestores(engine: Engine) {
    val sheet = direct(VALUES)
    val tile = direct(VALUES).apply { for (i in 0 until VALUES) put(i, i.toFloat()) }
    val output = direct(VALUES)

    fun look(first: Float, statistics: Statistics) {
        for (i in 0 until VALUES) sheet.put(i, first + i)
        val timing = engine.look(sheet.apply { clear() }, statistics)
        assertTrue(timing.copyInNanos >= 0 && timing.runNanos >= 0 && timing.readBackNanos >= 0)
    }

    fun assertRestored(first: Float, statistics: Statistics) {
        val timing = engine.restore(tile.apply { clear() }, statistics, output.apply { clear() })
        for (i in 0 until VALUES) assertEquals((2 + first) * i + first + 4, output.get(i), 0f)
        assertTrue(timing.copyInNanos >= 0 && timing.runNanos >= 0 && timing.readBackNanos >= 0)
    }

    val one = engine.newStatistics()
    val other = engine.newStatistics()
    assertEquals(STATISTIC_SIZES, one.values.map { it.capacity() })
    look(0f, one)
    look(5f, other)
    repeat(2) { assertRestored(0f, one) }
    assertRestored(5f, other)
    assertRestored(0f, one)
    look(9f, one)
    assertRestored(9f, one)
}

/** A look or a tile whose statistics are another loaded program's. */
internal fun assertRefusesOthers(engine: Engine, other: Engine) {
    val image = direct(VALUES)
    val statistics = other.newStatistics()
    for (call in listOf({ engine.look(image, statistics) }, { engine.restore(image, statistics, direct(VALUES)) })) {
        val error = assertThrows(EngineException::class.java) { call() }
        assertEquals("${engine.name} was given the statistics of another program.", error.message)
    }
}

/** The message of the one sentence that [call] ends with. */
internal fun sentence(call: () -> Unit): String = assertThrows(EngineException::class.java) { call() }.message!!

internal fun direct(values: Int): FloatBuffer =
    ByteBuffer.allocateDirect(4 * values).order(ByteOrder.nativeOrder()).asFloatBuffer()

internal fun FloatBuffer.array(count: Int) = FloatArray(count) { get(it) }
