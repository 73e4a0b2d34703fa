package org.anyir.engines

/** The engines that this app knows, in the build or not. */
object Engines {
    private val factories = ArrayList<EngineFactory>()

    /** Every engine, in the order in which they are shown. */
    val all: List<EngineFactory>
        @Synchronized get() = factories.toList()

    /** The engine with this id, or null. */
    fun byId(id: String): EngineFactory? = all.firstOrNull { it.id == id }

    /** Adds an engine, or replaces the one of the same id. */
    @Synchronized
    fun install(factory: EngineFactory) {
        factories.removeAll { it.id == factory.id }
        factories += factory
    }
}
