package org.anyir.demo.restore

/**
 * Estimates how long the rest takes from how long each tile took. Later tiles count more, as a phone slows down when it
 * gets warm; the look and the first tile, with which runtimes finish loading, count for nothing.
 *
 * @param nanos a clock
 */
internal class TimeLeft(private val nanos: () -> Long = System::nanoTime) {
    private var last: Long? = null
    private var tile: Double? = null

    /** Milliseconds left after [done] of [total] steps; null before there is something to go by. */
    fun after(done: Int, total: Int): Long? {
        val now = nanos()
        last?.takeIf { done > UNTIMED }?.let { before ->
            val millis = (now - before) / 1e6
            tile = tile?.let { it + WEIGHT * (millis - it) } ?: millis
        }
        last = now
        return tile?.let { Math.round(it * (total - done)) }
    }

    private companion object {
        const val WEIGHT = 0.2

        /** The look and the first tile. */
        const val UNTIMED = 2
    }
}
