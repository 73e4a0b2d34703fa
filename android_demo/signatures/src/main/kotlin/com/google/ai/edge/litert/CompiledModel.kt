// What org.anyir.engines uses of com.google.ai.edge.litert:litert:2.3.0, names and types alone: Google's Maven
// repository is not one that the JDK-only build asks. Never packaged; the Gradle build has the real classes.
package com.google.ai.edge.litert

enum class Accelerator { NONE, CPU, GPU, NPU }

class LiteRtException(message: String) : Exception(message)

class TensorBuffer private constructor() : AutoCloseable {
    fun writeFloat(data: FloatArray): Unit = signatureOnly(data)

    fun readFloat(): FloatArray = signatureOnly()

    override fun close(): Unit = signatureOnly()
}

class CompiledModel private constructor() : AutoCloseable {
    class Options(vararg accelerators: Accelerator) {
        val accelerators: Set<Accelerator> = accelerators.toSet()
        var cpuOptions: CpuOptions? = null
        var gpuOptions: GpuOptions? = null
    }

    class CpuOptions(val numThreads: Int? = null)

    class GpuOptions(val precision: Precision? = null) {
        enum class Precision { DEFAULT, FP16, FP32 }
    }

    fun createInputBuffer(inputName: String, signature: String?): TensorBuffer = signatureOnly(inputName, signature)

    fun createOutputBuffer(outputName: String, signature: String?): TensorBuffer = signatureOnly(outputName, signature)

    fun run(inputs: Map<String, TensorBuffer>, outputs: Map<String, TensorBuffer>, signature: String?): Unit =
        signatureOnly(inputs, outputs, signature)

    override fun close(): Unit = signatureOnly()

    companion object {
        @JvmStatic
        fun create(filePath: String, options: Options): CompiledModel = signatureOnly(filePath, options)
    }
}

private fun signatureOnly(vararg used: Any?): Nothing =
    throw UnsupportedOperationException("a signature, given ${used.size}")
