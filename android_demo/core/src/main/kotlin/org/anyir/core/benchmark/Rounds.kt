package org.anyir.core.benchmark

/**
 * Runs all programs once in each round, each round starting with another one, so that what slows the phone for
 * a while slows all of them; profiling/benchmark.py does the same.
 *
 * @param count of programs
 * @param rounds of them all
 * @param run (program, round); what fails inside is its own to note
 */
fun measureInTurn(count: Int, rounds: Int, run: (program: Int, round: Int) -> Unit) {
    for (round in 0 until rounds) {
        for (place in 0 until count) run((round + place) % count, round)
    }
}
