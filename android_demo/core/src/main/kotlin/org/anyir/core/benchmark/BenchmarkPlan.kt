package org.anyir.core.benchmark

/** A benchmark that was asked for cannot be run. The message is one sentence for the user. */
class PlanException(message: String) : Exception(message)

/**
 * What to measure and how.
 *
 * @param models names without suffix, or null for all
 * @param engines ids, or null for all
 * @param runs timed runs of each program, 1 or more
 * @param warmups runs before them that do not count
 * @param sustainSeconds how long each program then runs without a pause; 0: not at all
 * @param out name of the results file, without any folder
 */
class BenchmarkPlan(
    val models: Set<String>?,
    val engines: Set<String>?,
    val runs: Int,
    val warmups: Int,
    val sustainSeconds: Int,
    val out: String,
) {
    /**
     * Refuses names that do not exist.
     *
     * @throws PlanException names the first of them, and what there is
     */
    fun check(knownModels: Collection<String>, knownEngines: Collection<String>) {
        refuseUnknown("model", models, knownModels)
        refuseUnknown("engine", engines, knownEngines)
    }

    fun takesModel(name: String) = models == null || name in models

    fun takesEngine(id: String) = engines == null || id in engines

    companion object {
        /** The keys of the intent's extras, and what stands for a missing one. */
        val DEFAULTS = mapOf<String, Any>(
            "models" to "all",
            "engines" to "all",
            "runs" to 30,
            "warmup" to 5,
            "sustain_s" to 0,
            "out" to "results.json",
        )

        private const val MAX_RUNS = 100_000
        private const val MAX_WARMUPS = 10_000
        private const val MAX_SUSTAIN_S = 4 * 3600
        private const val MAX_SHOWN = 60
        private val FILE_NAME = Regex("[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")

        /**
         * Reads a plan from what another program sent: nothing in it is taken on trust.
         *
         * @param given by the keys of [DEFAULTS]; other keys are refused, missing ones are the defaults
         * @throws PlanException a wrong key, type, number or file name
         */
        fun parse(given: Map<String, Any?>): BenchmarkPlan {
            val unknown = given.keys.firstOrNull { it !in DEFAULTS }
            if (unknown != null) {
                throw PlanException("There is no option ${shown(unknown)}; ${DEFAULTS.keys.joinToString()} are.")
            }
            val options = DEFAULTS + given
            return BenchmarkPlan(
                models = names("models", options["models"]),
                engines = names("engines", options["engines"]),
                runs = number("runs", options["runs"], 1..MAX_RUNS),
                warmups = number("warmup", options["warmup"], 0..MAX_WARMUPS),
                sustainSeconds = number("sustain_s", options["sustain_s"], 0..MAX_SUSTAIN_S),
                out = fileName(options["out"]),
            )
        }

        private fun names(key: String, value: Any?): Set<String>? {
            val text = value as? String ?: throw PlanException("$key is not a text; pass it with --es.")
            if (text.trim() == "all") return null
            val names = text.split(',').map { it.trim() }
            if (names.any {
                    it.isEmpty()
                }
            ) {
                throw PlanException("$key names nothing; give all, or names with commas between.")
            }
            return names.toSet()
        }

        private fun number(key: String, value: Any?, range: IntRange): Int {
            val number = when (value) {
                is Int -> value.toLong()
                is Long -> value
                else -> throw PlanException("$key is not a whole number; pass it with --ei.")
            }
            if (number < range.first || number > range.last) {
                throw PlanException("$key is $number; ${range.first} to ${range.last} can be done.")
            }
            return number.toInt()
        }

        private fun fileName(value: Any?): String {
            val name = value as? String ?: throw PlanException("out is not a text; pass it with --es.")
            if (!FILE_NAME.matches(name) || !name.endsWith(".json") || name == ".json") {
                throw PlanException("out is ${shown(name)}; a name such as run1.json is due, without a folder.")
            }
            return name
        }

        private fun refuseUnknown(what: String, asked: Set<String>?, known: Collection<String>) {
            val unknown = asked?.firstOrNull { it !in known } ?: return
            val there = known.sorted().joinToString().ifEmpty { "none" }
            throw PlanException("There is no $what ${shown(unknown)} here; there is: $there.")
        }

        /** Somebody else's text, fit for one line. */
        private fun shown(text: String): String =
            "\"" + text.take(MAX_SHOWN).map { if (it.isISOControl()) '?' else it }.joinToString("") + "\""
    }
}
