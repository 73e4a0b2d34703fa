package org.anyir.engines

/** The engines that the app knows, whether they are in this build or not. */
object Engines {
    private val factories = mutableListOf(
        CompiledModelFactory.cpu(),
        CompiledModelFactory.gpu(),
        InterpreterFactory(),
        ExecuTorchFactory(),
    )

    /** Every engine, in the order in which they are shown. */
    val all: List<EngineFactory>
        @Synchronized get() = factories.toList()

    /** The engine with this id, or null. */
    fun byId(id: String): EngineFactory? = all.firstOrNull { it.id == id }

    /** Adds an engine, or replaces the one of the same id. */
    @Synchronized
    fun install(factory: EngineFactory) {
        val place = factories.indexOfFirst { it.id == factory.id }
        if (place < 0) factories += factory else factories[place] = factory
    }
}
