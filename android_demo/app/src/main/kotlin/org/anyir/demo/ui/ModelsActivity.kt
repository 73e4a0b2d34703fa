package org.anyir.demo.ui

import android.app.Activity
import android.content.ComponentName
import android.content.Intent
import android.os.Bundle
import android.view.View
import org.anyir.demo.R

/** Where the model and what runs it are chosen. */
class ModelsActivity : Activity() {
    private lateinit var source: CatalogueSource
    private lateinit var screen: ModelsScreen

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        source = CatalogueSource.of(this)
        setContentView(R.layout.models)
        screen = ModelsScreen(
            window.decorView.part(R.id.list),
            choose = {
                source.choose(it)
                load()
            },
            measure = ::measure,
        )
        window.decorView.part<View>(R.id.back).setOnClickListener { finish() }
        drawEdgeToEdge(window.decorView.part(R.id.root))
    }

    override fun onStart() {
        super.onStart()
        load()
    }

    private fun load() = source.load { if (!isDestroyed) screen.show(it) }

    private fun measure() =
        startActivity(Intent().setComponent(ComponentName(packageName, "$packageName.BenchmarkActivity")))
}
