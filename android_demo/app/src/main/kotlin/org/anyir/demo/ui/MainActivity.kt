package org.anyir.demo.ui

import android.app.Activity
import android.os.Bundle
import android.widget.TextView
import org.anyir.demo.R

/** The app's first screen. */
class MainActivity : Activity() {
    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(TextView(this).apply { setText(R.string.app_name) })
    }
}
