package org.anyir.engines

import org.anyir.core.Manifest
import org.anyir.core.Statistics
import org.anyir.core.TensorSpec
import org.anyir.core.TileRunner

internal const val LOOK = "look"
internal const val RESTORE = "restore"

/** How many values a tensor holds. The model store has seen to it that they can be counted. */
internal val TensorSpec.size: Int get() = shape.fold(1L, Long::times).toInt()

/** Room for what this program finds out about a photo. */
internal fun TileRunner.roomFor(manifest: Manifest) = Statistics(this, manifest.entries.statistics.map { it.size })

/** Statistics mean nothing to any other program, which would take them without a word. */
internal fun Engine.checkOwn(statistics: Statistics) {
    if (statistics.owner !== this) throw EngineException("$name was given the statistics of another program.")
}

/** What an engine that gave [found] values is told where its manifest says [due]. */
internal fun Engine.checkSize(found: Long, due: Int, what: String) {
    if (found != due.toLong()) throw EngineException("$name gave $found values of $what where $due are due.")
}
