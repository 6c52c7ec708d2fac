package dev.tealight.sample.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.imePadding
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.foundation.lazy.rememberLazyListState
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.Button
import androidx.compose.material3.DropdownMenu
import androidx.compose.material3.DropdownMenuItem
import androidx.compose.material3.FilledTonalButton
import androidx.compose.material3.HorizontalDivider
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Scaffold
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.dp
import dev.tealight.kotlin.Role
import dev.tealight.sample.conversation.Choice
import dev.tealight.sample.conversation.Line
import dev.tealight.sample.conversation.State

@Composable
fun ChatScreen(
    state: State,
    choices: List<Choice>,
    onOpen: (Choice) -> Unit,
    onAdd: () -> Unit,
    onSay: (String) -> Unit,
    onStop: () -> Unit,
) {
    MaterialTheme {
        Scaffold(
            topBar = { Top(state, choices, onOpen, onAdd) },
            bottomBar = { Question(state, onSay, onStop) },
        ) { inner ->
            Lines(state.lines, Modifier.padding(inner).fillMaxSize())
        }
    }
}

/** The model's name, which opens the list of models, and what the last answer took. */
@Composable
private fun Top(
    state: State,
    choices: List<Choice>,
    onOpen: (Choice) -> Unit,
    onAdd: () -> Unit,
) {
    var open by remember { mutableStateOf(false) }
    Surface(tonalElevation = 2.dp) {
        Column(Modifier.padding(horizontal = 8.dp, vertical = 32.dp).fillMaxWidth()) {
            Box {
                TextButton(onClick = { open = true }) {
                    Text(state.choice?.name ?: "Choose a model")
                }
                DropdownMenu(expanded = open, onDismissRequest = { open = false }) {
                    fun close(then: () -> Unit) {
                        open = false
                        then()
                    }
                    choices.forEach { choice ->
                        DropdownMenuItem(
                            text = { Text(choice.name) },
                            onClick = { close { onOpen(choice) } },
                        )
                    }
                    HorizontalDivider()
                    DropdownMenuItem(
                        text = { Text("Add a .tea file…") },
                        onClick = { close(onAdd) },
                    )
                }
            }
            Text(
                state.problem ?: figures(state),
                Modifier.padding(horizontal = 12.dp),
                style = MaterialTheme.typography.labelMedium,
                color =
                    if (state.problem != null) MaterialTheme.colorScheme.error
                    else MaterialTheme.colorScheme.onSurfaceVariant,
            )
            if (state.loading) LinearProgressIndicator(Modifier.fillMaxWidth())
        }
    }
}

private fun figures(state: State): String {
    val speed = state.tokensPerSecond?.let { "%.1f tokens/s".format(it) }
    val memory = "%d MB".format(state.memory / 1_000_000)
    return listOfNotNull(speed, memory.takeIf { state.memory > 0 }).joinToString(" · ")
}

@Composable
private fun Lines(lines: List<Line>, modifier: Modifier) {
    val list = rememberLazyListState()
    LaunchedEffect(lines) { if (lines.isNotEmpty()) list.scrollToItem(lines.lastIndex) }
    LazyColumn(
        modifier,
        state = list,
        contentPadding = PaddingValues(16.dp),
        verticalArrangement = Arrangement.spacedBy(8.dp),
    ) {
        items(lines) { Bubble(it) }
    }
}

@Composable
private fun Bubble(line: Line) {
    val mine = line.role == Role.USER
    val colours = MaterialTheme.colorScheme
    Box(
        Modifier.fillMaxWidth(),
        contentAlignment = if (mine) Alignment.CenterEnd else Alignment.CenterStart,
    ) {
        Surface(
            Modifier.widthIn(max = 320.dp),
            shape = RoundedCornerShape(16.dp),
            color = if (mine) colours.primaryContainer else colours.surfaceVariant,
        ) {
            Text(line.text.ifEmpty { "…" }, Modifier.padding(12.dp))
        }
    }
}

@Composable
private fun Question(state: State, onSay: (String) -> Unit, onStop: () -> Unit) {
    var text by rememberSaveable { mutableStateOf("") }
    Row(
        Modifier.imePadding().padding(16.dp),
        horizontalArrangement = Arrangement.spacedBy(8.dp),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        OutlinedTextField(
            value = text,
            onValueChange = { text = it },
            modifier = Modifier.weight(1f),
            placeholder = { Text("turn off the lights in the kitchen") },
            enabled = !state.loading,
        )
        if (state.answering) {
            FilledTonalButton(onClick = onStop) { Text("Stop") }
        } else {
            Button(
                enabled = text.isNotBlank() && !state.loading,
                onClick = {
                    onSay(text)
                    text = ""
                },
            ) {
                Text("Send")
            }
        }
    }
}
