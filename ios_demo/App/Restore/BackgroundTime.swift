import AnyIRCore
import BackgroundTasks
import Foundation
import UIKit

/// Time to finish a restoration when the user leaves the app.
@MainActor
protocol BackgroundTime: AnyObject {
    /// Asks for it; `expired` is called where there is none left.
    func begin(title: String, expired: @escaping @MainActor () -> Void)

    /// The system ends what makes no progress.
    func report(_ progress: RestoreProgress)

    func end(success: Bool)
}

/// From iOS 26 on a continued processing task, which the system shows with its progress and the user can cancel. Where
/// that is not granted, and before: the half minute that every app gets.
@MainActor
final class SystemBackgroundTime: BackgroundTime {
    /// `BGTaskSchedulerPermittedIdentifiers` in Info.plist has it with a wildcard: one for every restoration, as an
    /// identifier may be registered only once in the life of a process.
    private static let identifier = "org.anyir.demo.restore"

    private var assertion = UIBackgroundTaskIdentifier.invalid
    private var task: BGTask?
    private var progress: Progress?
    private var title = ""
    private var run = 0
    private var expired: (@MainActor () -> Void)?

    func begin(title: String, expired: @escaping @MainActor () -> Void) {
        end(success: false)
        run += 1
        self.title = title
        self.expired = expired
        assertion = UIApplication.shared.beginBackgroundTask(withName: title) { [weak self] in
            // The system calls it on the main thread.
            MainActor.assumeIsolated { self?.assertionEnds() }
        }
        if #available(iOS 26.0, *) { submit(run: run) }
    }

    func report(_ progress: RestoreProgress) {
        self.progress?.totalUnitCount = Int64(progress.total)
        self.progress?.completedUnitCount = Int64(progress.done)
        if #available(iOS 26.0, *), let task = task as? BGContinuedProcessingTask {
            task.updateTitle(title, subtitle: Words.steps(progress))
        }
    }

    func end(success: Bool) {
        task?.setTaskCompleted(success: success)
        task = nil
        progress = nil
        expired = nil
        endAssertion()
    }

    @available(iOS 26.0, *)
    private func submit(run: Int) {
        let identifier = "\(Self.identifier).\(UUID().uuidString)"
        // On the main queue: this closure belongs to the main actor, and Swift checks that it runs there.
        let registered = BGTaskScheduler.shared.register(forTaskWithIdentifier: identifier, using: .main) { task in
            MainActor.assumeIsolated { [weak self] in self?.start(task, run: run) }
        }
        guard registered else { return }
        let request = BGContinuedProcessingTaskRequest(
            identifier: identifier, title: title, subtitle: Words.loadingModel)
        request.strategy = .fail
        // Refused: the half minute remains.
        try? BGTaskScheduler.shared.submit(request)
    }

    @available(iOS 26.0, *)
    private func start(_ task: BGTask, run: Int) {
        guard run == self.run, expired != nil, let task = task as? BGContinuedProcessingTask else {
            task.setTaskCompleted(success: false)
            return
        }
        self.task = task
        progress = task.progress
        task.expirationHandler = { @Sendable [weak self] in
            Task { @MainActor in self?.taskExpires(run: run) }
        }
    }

    private func taskExpires(run: Int) {
        guard run == self.run else { return }
        expired?()
    }

    private func assertionEnds() {
        endAssertion()
        // A continued task goes on without it.
        if task == nil { expired?() }
    }

    private func endAssertion() {
        guard assertion != .invalid else { return }
        UIApplication.shared.endBackgroundTask(assertion)
        assertion = .invalid
    }
}
