package org.anyir.engines

import org.anyir.core.Entry
import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.RunTiming
import org.anyir.core.Statistics
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.TensorFlowLite
import java.io.File
import java.nio.FloatBuffer

/**
 * LiteRT's classic interface, `org.tensorflow.lite.Interpreter`, on the CPU.
 *
 * @param load the interpreter itself; a test's own where its native library is missing
 */
internal class InterpreterFactory(
    private val load: (File, Interpreter.Options) -> Interpreter = { file, options -> Interpreter(file, options) },
) : EngineFactory {
    override val id = "litert-interpreter"
    override val label = "LiteRT Interpreter (CPU)"

    private val reason by lazy {
        whyUnavailable("org.tensorflow.lite.Interpreter") { TensorFlowLite.init() }
    }

    override fun unavailable(): String? = reason

    override fun opens(manifest: Manifest): Boolean = manifest.runtime == "litert"

    override fun open(model: Model, threads: Int, both: Boolean): Engine =
        engineCall("$label cannot load ${model.file.name}") { InterpreterEngine(model, threads, both, load) }
}

private class InterpreterEngine(
    model: Model,
    override val threads: Int,
    both: Boolean,
    private val load: (File, Interpreter.Options) -> Interpreter,
) : Engine {
    override val name = "LiteRT Interpreter, ${model.manifest.name}"

    /** Where XNNPACK does not take the program, the runtime's own kernels run it; its API tells neither. */
    override val accelerator = "LiteRT CPU (XNNPACK asked for)"
    override val version: String = TensorFlowLite.runtimeVersion()
    override val tile = model.manifest.tile
    override val tileSize = model.manifest.tileSize
    private val manifest = model.manifest
    private val entries = manifest.entries

    /** An interpreter prepares for XNNPACK all that is in the file, and takes memory for the signatures that ran. */
    private val interpreters = OpenEntries(name, model.file, both) { opened(model.file) }

    private fun opened(file: File): Interpreter {
        val interpreter = load(file, Interpreter.Options().setNumThreads(threads).setUseXNNPACK(true))
        try {
            interpreter.check(LOOK, entries.look)
            interpreter.check(RESTORE, entries.restore)
        } catch (error: Throwable) {
            interpreter.close()
            throw error
        }
        return interpreter
    }

    private fun Interpreter.check(key: String, entry: Entry) {
        if (key !in signatureKeys) throw EngineException("$name has no signature $key.")
        val inputs = entry.inputs.map { it to getInputTensorFromSignature(it.name, key) }
        val outputs = entry.outputs.map { it to getOutputTensorFromSignature(it.name, key) }
        for ((spec, tensor) in inputs + outputs) {
            if (tensor.dataType() == DataType.FLOAT32 && tensor.shape().map { it.toLong() } == spec.shape) continue
            val found = "${tensor.dataType()} ${tensor.shape().joinToString("x")}"
            throw EngineException("$name has $found as ${spec.name}; its manifest says otherwise.")
        }
    }

    override fun newStatistics() = roomFor(manifest)

    override fun look(sheet: FloatBuffer, statistics: Statistics): RunTiming = engineCall("$name failed") {
        checkOwn(statistics)
        timed(LOOK, listOf(sheet), entries.look, statistics.values)
    }

    /** All of a signature's inputs are given with every tile: the runtime's interface keeps none. */
    override fun restore(input: FloatBuffer, statistics: Statistics, output: FloatBuffer): RunTiming =
        engineCall("$name failed") {
            checkOwn(statistics)
            timed(RESTORE, listOf(input) + statistics.values, entries.restore, listOf(output))
        }

    /** The runtime copies the inputs while it runs and tells how long the running took; the rest is the copy. */
    private fun timed(key: String, inputs: List<FloatBuffer>, entry: Entry, outputs: List<FloatBuffer>): RunTiming {
        val interpreter = interpreters.having(key)
        val given = entry.inputs.indices.associate { entry.inputs[it].name to inputs[it] as Any }
        val start = System.nanoTime()
        interpreter.runSignature(given, emptyMap<String, Any>(), key)
        val ran = System.nanoTime()
        val computing = interpreter.lastNativeInferenceDurationNanoseconds ?: (ran - start)
        for ((i, output) in outputs.withIndex()) {
            val tensor = interpreter.getOutputTensorFromSignature(entry.outputs[i].name, key)
            output.clear()
            output.put(tensor.asReadOnlyBuffer().asFloatBuffer())
        }
        return RunTiming(maxOf(0, ran - start - computing), computing, System.nanoTime() - ran)
    }

    override fun close() = interpreters.close()
}
