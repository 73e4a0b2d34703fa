package org.anyir.core

/**
 * The value below which [share] percent of the samples lie, interpolated between neighbours: numpy's default,
 * and what profiling/schema.py checks a file's percentiles by.
 *
 * @param samples at least one value, in any order
 * @param share 0..100
 * @throws IllegalArgumentException no samples, or a share outside 0..100
 */
fun percentile(samples: List<Double>, share: Double): Double {
    require(samples.isNotEmpty() && share in 0.0..100.0) { "percentile needs samples and a share in 0..100" }
    val ordered = samples.sorted()
    val place = (ordered.size - 1) * share / 100
    val below = place.toInt()
    val above = minOf(below + 1, ordered.size - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
}
