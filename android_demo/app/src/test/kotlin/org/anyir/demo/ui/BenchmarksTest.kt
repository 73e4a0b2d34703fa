package org.anyir.demo.ui

import org.anyir.demo.models.Choice
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import java.io.File

class BenchmarksTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val pair = Choice(fakeModel("half"), FakeEngine("litert-cpu", "litert"))

    private fun write(name: String, age: Long, row: String) = File(folder.root, name).apply {
        writeText("""{"schema": 1, "rows": [$row]}""")
        setLastModified(1_700_000_000_000 - age)
    }

    private fun row(millis: Double, status: String = "ok", engine: String = "litert-cpu") = """
        {"status": "$status", "engine": "$engine", "artifact": {"sha256": "sha of half"},
         "latency": ${if (status == "ok") """{"p50_ms": $millis}""" else "null"}}"""

    @Test
    fun `the newest run of the pair counts`() {
        write("new.json", 0, row(90.0))
        write("old.json", 60_000, row(400.0))
        write("other.json", 0, row(5.0, engine = "litert-gpu"))
        assertEquals(90.0, Benchmarks.read(folder.root).millis(pair))
    }

    @Test
    fun `nothing measured is nothing, and broken files are passed over`() {
        assertNull(Benchmarks.read(File(folder.root, "missing")).millis(pair))
        write("failed.json", 0, row(0.0, status = "failed"))
        File(folder.root, "half.json").writeText("{\"rows\": [")
        File(folder.root, "other.json").writeText("[]")
        write("odd.json", 0, """{"status": "ok"}""")
        assertNull(Benchmarks.read(folder.root).millis(pair))
    }
}
