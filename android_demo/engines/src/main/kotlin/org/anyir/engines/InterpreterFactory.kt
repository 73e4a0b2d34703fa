package org.anyir.engines

import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.TileTiming
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.TensorFlowLite
import java.nio.FloatBuffer

/** LiteRT's classic interface, `org.tensorflow.lite.Interpreter`, on the CPU. */
internal class InterpreterFactory : EngineFactory {
    override val id = "litert-interpreter"
    override val label = "LiteRT Interpreter (CPU)"

    private val reason by lazy {
        whyUnavailable("org.tensorflow.lite.Interpreter") { TensorFlowLite.init() }
    }

    override fun unavailable(): String? = reason

    override fun opens(manifest: Manifest): Boolean = manifest.runtime == "litert"

    override fun open(model: Model, threads: Int): Engine =
        engineCall("$label cannot load ${model.file.name}") { InterpreterEngine(model, threads) }
}

private class InterpreterEngine(model: Model, override val threads: Int) : Engine {
    override val name = "LiteRT Interpreter, ${model.manifest.name}"

    /** Where XNNPACK does not take the program, the runtime's own kernels run it; its API tells neither. */
    override val accelerator = "LiteRT CPU (XNNPACK asked for)"
    override val version: String = TensorFlowLite.runtimeVersion()
    override val tile = model.manifest.tile

    private val interpreter =
        Interpreter(model.file, Interpreter.Options().setNumThreads(threads).setUseXNNPACK(true))
    private val inputs = arrayOfNulls<Any>(1)
    private val noOutputs = emptyMap<Int, Any>()

    init {
        try {
            interpreter.allocateTensors()
            checkBytes(interpreter.getInputTensor(0).numBytes())
            checkBytes(interpreter.getOutputTensor(0).numBytes())
        } catch (error: Throwable) {
            interpreter.close()
            throw error
        }
    }

    private fun checkBytes(found: Int) {
        val due = 4 * 3 * tile * tile
        if (found != due) throw EngineException("$name has a tensor of $found bytes where $due are due.")
    }

    /** The runtime copies the input while it runs and tells how long the running took; the rest is the copy. */
    override fun run(input: FloatBuffer, output: FloatBuffer): TileTiming = engineCall("$name failed") {
        inputs[0] = input
        val start = System.nanoTime()
        interpreter.runForMultipleInputsOutputs(inputs, noOutputs)
        val ran = System.nanoTime()
        val computing = interpreter.lastNativeInferenceDurationNanoseconds ?: (ran - start)
        output.clear()
        output.put(interpreter.getOutputTensor(0).asReadOnlyBuffer().asFloatBuffer())
        TileTiming(maxOf(0, ran - start - computing), computing, System.nanoTime() - ran)
    }

    override fun close() = interpreter.close()
}
