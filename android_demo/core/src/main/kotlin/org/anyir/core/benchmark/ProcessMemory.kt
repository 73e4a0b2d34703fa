package org.anyir.core.benchmark

import java.io.File
import java.io.IOException

/** What the process takes, as the kernel counts it. Null where it cannot be read. */
open class ProcessMemory(private val status: File = File("/proc/self/status")) {
    /** Resident now, in bytes. */
    open fun residentBytes(): Long? = read("VmRSS:")

    /** Resident at most, so far, in bytes. */
    open fun peakBytes(): Long? = read("VmHWM:")

    /** Proportional share, in bytes; only Android tells. */
    open fun pssBytes(): Long? = null

    private fun read(key: String): Long? = try {
        status.readLines().firstOrNull { it.startsWith(key) }
            ?.removePrefix(key)?.trim()?.removeSuffix("kB")?.trim()?.toLongOrNull()?.times(1024)
    } catch (_: IOException) {
        null
    }
}
