package org.anyir.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

/**
 * Room for what a program finds out about one photo: [TileRunner.look] fills it, [TileRunner.restore] takes it. What
 * the values mean the program alone knows.
 *
 * @param owner the loaded program, the only one that understands them
 * @param sizes how many values each holds, in the program's order
 */
class Statistics(val owner: TileRunner, sizes: List<Int>) {
    /** Direct, native byte order, each from index 0. */
    val values: List<FloatBuffer> = sizes.map(::directFloats)

    /** Whether no value is NaN or infinity. */
    fun isFinite(): Boolean = values.all { buffer ->
        (0 until buffer.capacity()).none { buffer.get(it).run { isNaN() || isInfinite() } }
    }
}

internal fun directFloats(count: Int): FloatBuffer =
    ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder()).asFloatBuffer()
