package org.anyir.engines

import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.TileTiming
import org.bytedeco.javacpp.FloatPointer
import org.bytedeco.tensorflowlite.TfLiteInterpreter
import org.bytedeco.tensorflowlite.TfLiteModel
import org.bytedeco.tensorflowlite.TfLiteTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterAllocateTensors
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterCreate
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterGetInputTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterGetOutputTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterInvoke
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsCreate
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsSetNumThreads
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteModelCreateFromFile
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteModelDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorByteSize
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorCopyFromBuffer
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorCopyToBuffer
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteVersion
import java.nio.FloatBuffer

private const val OK = 0

/** LiteRT on this machine's CPU, for tests alone: the same programs as on the phone. */
class JvmEngineFactory : EngineFactory {
    override val id = "litert-jvm"
    override val label = "LiteRT on the JVM"

    override fun unavailable(): String? = null

    override fun opens(manifest: Manifest): Boolean = manifest.runtime == "litert"

    override fun open(model: Model, threads: Int): Engine {
        val program = TfLiteModelCreateFromFile(model.file.path)
            ?: throw EngineException("LiteRT on the JVM cannot load ${model.file.name}.")
        val options = TfLiteInterpreterOptionsCreate()
        TfLiteInterpreterOptionsSetNumThreads(options, threads)
        val interpreter = TfLiteInterpreterCreate(program, options)
        TfLiteInterpreterOptionsDelete(options)
        if (interpreter == null || TfLiteInterpreterAllocateTensors(interpreter) != OK) {
            interpreter?.let(::TfLiteInterpreterDelete)
            TfLiteModelDelete(program)
            throw EngineException("LiteRT on the JVM refuses ${model.file.name}.")
        }
        return JvmEngine(model, program, interpreter, threads)
    }
}

private class JvmEngine(
    model: Model,
    private val program: TfLiteModel,
    private val interpreter: TfLiteInterpreter,
    override val threads: Int,
) : Engine {
    override val name = "LiteRT on the JVM, ${model.manifest.name}"
    override val accelerator = "LiteRT (this machine's CPU)"
    override val version: String = TfLiteVersion().string
    override val tile = model.manifest.tile

    private val input: TfLiteTensor = TfLiteInterpreterGetInputTensor(interpreter, 0)
    private val output: TfLiteTensor = TfLiteInterpreterGetOutputTensor(interpreter, 0)
    private val bytes = 4L * 3 * tile * tile

    init {
        for (tensor in listOf(input, output)) {
            val found = TfLiteTensorByteSize(tensor)
            if (found != bytes) throw EngineException("$name has a tensor of $found bytes; $bytes are due.")
        }
    }

    override fun run(input: FloatBuffer, output: FloatBuffer): TileTiming {
        val start = System.nanoTime()
        check(TfLiteTensorCopyFromBuffer(this.input, FloatPointer(input), bytes), "take its input")
        val copied = System.nanoTime()
        check(TfLiteInterpreterInvoke(interpreter), "run")
        val ran = System.nanoTime()
        check(TfLiteTensorCopyToBuffer(this.output, FloatPointer(output), bytes), "give its output")
        return TileTiming(copied - start, ran - copied, System.nanoTime() - ran)
    }

    private fun check(status: Int, what: String) {
        if (status != OK) throw EngineException("$name failed to $what (status $status).")
    }

    override fun close() {
        TfLiteInterpreterDelete(interpreter)
        TfLiteModelDelete(program)
    }
}
