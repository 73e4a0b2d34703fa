package org.anyir.demo.restore

import java.util.concurrent.atomic.AtomicReference

/**
 * Whether a restoration was called off. It can be until its result counts; only one of the two happens. Any thread.
 */
internal class Stop {
    private enum class End { CALLED_OFF, COUNTS }

    private val end = AtomicReference<End>()

    /** Whether it was called off. */
    val asked: Boolean get() = end.get() == End.CALLED_OFF

    /** Calls it off. False where it is too late. */
    fun ask(): Boolean = end.compareAndSet(null, End.CALLED_OFF) || asked

    /** From here on its result counts. False where it was called off. */
    fun tooLate(): Boolean = end.compareAndSet(null, End.COUNTS)
}
