package org.anyir.core.benchmark

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File
import kotlin.random.Random

class BenchmarkPlanTest {
    @Test
    fun `nothing given is everything, with the documented numbers`() {
        val plan = BenchmarkPlan.parse(emptyMap())
        assertNull(plan.models)
        assertNull(plan.engines)
        assertEquals(listOf(30, 5, 0), listOf(plan.runs, plan.warmups, plan.sustainSeconds))
        assertEquals("results.json", plan.out)
    }

    @Test
    fun `names are separated by commas, and numbers may be long`() {
        val plan = BenchmarkPlan.parse(
            mapOf("models" to "a, b", "engines" to "litert-cpu", "runs" to 7L, "warmup" to 0),
        )
        assertEquals(setOf("a", "b"), plan.models)
        assertTrue(plan.takesModel("b"))
        assertFalse(plan.takesModel("c"))
        assertFalse(plan.takesEngine("litert-gpu"))
        assertEquals(7, plan.runs)
        plan.check(listOf("a", "b", "c"), listOf("litert-cpu"))
    }

    @Test
    fun `what cannot be done is refused with one sentence that names it`() {
        val faults = mapOf(
            mapOf("runs" to 0) to "runs is 0; 1 to 100000 can be done.",
            mapOf("runs" to -1) to "runs is -1",
            mapOf("runs" to Long.MAX_VALUE) to "runs is ${Long.MAX_VALUE}",
            mapOf("runs" to "30") to "runs is not a whole number; pass it with --ei.",
            mapOf("runs" to 3.5) to "runs is not a whole number",
            mapOf("warmup" to -1) to "warmup is -1",
            mapOf("sustain_s" to 1_000_000) to "sustain_s is 1000000",
            mapOf("models" to "") to "models names nothing",
            mapOf("models" to "a,,b") to "models names nothing",
            mapOf("models" to 3) to "models is not a text",
            mapOf("out" to "../run1.json") to "out is \"../run1.json\"; a name such as run1.json is due",
            mapOf("out" to "/data/run1.json") to "without a folder",
            mapOf("out" to "a/b.json") to "without a folder",
            mapOf("out" to "..") to "without a folder",
            mapOf("out" to ".json") to "without a folder",
            mapOf("out" to "run1.txt") to "without a folder",
            mapOf("out" to "a\u0000.json") to "out is \"a?.json\"",
            mapOf("out" to "a\n.json") to "out is \"a?.json\"",
            mapOf("out" to "x".repeat(300) + ".json") to "without a folder",
            mapOf("out" to null) to "out is not a text",
            mapOf("speed" to 1) to "There is no option \"speed\"",
        )
        for ((given, message) in faults) {
            val error = assertThrows("$given", PlanException::class.java) { BenchmarkPlan.parse(given) }
            assertTrue("$given: ${error.message}", message in error.message!!)
            assertFalse("\n" in error.message!!)
            assertTrue(error.message!!.length < 200)
        }
    }

    @Test
    fun `unknown names are refused, with what there is`() {
        val plan = BenchmarkPlan.parse(mapOf("models" to "a,zebra", "engines" to "npu"))
        val model = assertThrows(PlanException::class.java) { plan.check(listOf("a", "b"), listOf("npu")) }
        assertEquals("There is no model \"zebra\" here; there is: a, b.", model.message)
        val engine = assertThrows(PlanException::class.java) { plan.check(listOf("a", "zebra"), listOf("cpu")) }
        assertEquals("There is no engine \"npu\" here; there is: cpu.", engine.message)
    }

    @Test
    fun `whatever another program sends is a plan that can be run, or one sentence`() {
        val random = Random(1)
        val keys = BenchmarkPlan.DEFAULTS.keys.toList() + listOf("", "speed")
        var plans = 0
        repeat(2000) {
            val given = List(random.nextInt(4)) { keys.random(random) to anything(random) }.toMap()
            try {
                val plan = BenchmarkPlan.parse(given)
                plans++
                assertTrue(plan.runs >= 1 && plan.warmups >= 0 && plan.sustainSeconds >= 0)
                val file = File("/folder", plan.out).canonicalFile
                assertEquals("it stays in its folder", "/folder/${plan.out}", file.path)
            } catch (error: PlanException) {
                assertFalse(error.message!!.any { it.isISOControl() })
                assertTrue(error.message!!.length < 250)
            }
        }
        assertTrue("$plans of 2000 were plans", plans in 200..1800)
    }

    private fun anything(random: Random): Any? = when (random.nextInt(9)) {
        0 -> null
        1 -> random.nextInt()
        2 -> random.nextInt(-2, 200)
        3 -> random.nextLong()
        4 -> random.nextDouble()
        5 -> String(CharArray(random.nextInt(200)) { random.nextInt(0x300).toChar() })
        6 -> NAMES.random(random)
        7 -> random.nextBytes(3)
        else -> listOf(1, "a")
    }

    private companion object {
        val NAMES = listOf("all", "..", "../a.json", "a.json", "/a.json", "a/../b.json", "\u202e.json", ",", "a,b")
    }
}
