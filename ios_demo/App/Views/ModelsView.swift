import AnyIRState
import SwiftUI

/// The models and engines on this device: what they are good for, how fast they were, and why some cannot be used.
struct ModelsView: View {
    let model: AppModel
    let benchmark: BenchmarkModel

    @Environment(\.dismiss) private var dismiss

    var body: some View {
        NavigationStack {
            List {
                if let catalogue = model.state.catalogue {
                    Section(Words.modelsHeading) {
                        if catalogue.models.isEmpty { Text(Words.noModel) }
                        ForEach(catalogue.models) { row($0) }
                    }
                    Section(Words.enginesHeading) {
                        ForEach(catalogue.engines) { row($0, of: catalogue) }
                    }
                    if catalogue.pair != nil {
                        NavigationLink(Words.measure) { BenchmarkView(app: model, benchmark: benchmark) }
                    }
                    if !catalogue.refused.isEmpty {
                        Section(Words.refusedHeading) {
                            ForEach(catalogue.refused) { ChoiceRow(name: $0.name, details: [$0.reason]) }
                        }
                    }
                } else {
                    ProgressView(Words.lookingForModels)
                }
                Section(Words.addHeading) { Text(Words.addText) }
            }
            .navigationTitle(Words.modelsTitle)
            .toolbar { ToolbarItem(placement: .confirmationAction) { Button(Words.done) { dismiss() } } }
        }
        .task { await model.findModels() }
    }

    private func choosing(_ pair: Pair?) -> (@MainActor () -> Void)? {
        guard let pair else { return nil }
        return { model.choose(pair) }
    }

    private func row(_ row: ModelRow) -> some View {
        let details = [
            Words.goodFor(row.precision), "\(Words.modelFacts(Words.size(row.bytes), row.tile))\n\(row.name)",
            row.pair == nil ? Words.noEngineHere : Words.speed(row.speed),
        ]
        return ChoiceRow(
            name: Words.model(row), details: details.compactMap(\.self), isRecommended: row.isRecommended,
            isChosen: row.isChosen, choose: choosing(row.pair))
    }

    private func row(_ row: EngineRow, of catalogue: Catalogue) -> some View {
        let problem: String? =
            switch row.obstacle {
            case .unavailable(let reason): Words.sentence(reason)
            case .otherModels: Words.engineWrongModel
            case nil: nil
            }
        let pair = catalogue.pair.flatMap { problem == nil ? Pair(model: $0.model, engine: row.id) : nil }
        return ChoiceRow(
            name: row.label, details: [problem ?? Words.speed(row.speed)], isChosen: row.isChosen,
            choose: choosing(pair))
    }
}

/// A row that can be chosen, or that says why not.
struct ChoiceRow: View {
    let name: String
    let details: [String]
    var isRecommended = false
    var isChosen = false
    var choose: (@MainActor () -> Void)?

    var body: some View {
        Button {
            choose?()
        } label: {
            HStack(alignment: .top) {
                VStack(alignment: .leading, spacing: 4) {
                    Text(name).font(.headline)
                    if isRecommended { Text(Words.recommended).font(.caption).bold() }
                    ForEach(details, id: \.self) { Text($0).font(.footnote) }
                }
                Spacer()
                if isChosen { Image(systemName: "checkmark").accessibilityHidden(true) }
            }
        }
        .disabled(choose == nil)
        .foregroundStyle(.primary)
        .accessibilityAddTraits(isChosen ? .isSelected : [])
    }
}
