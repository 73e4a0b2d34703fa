// Signatures are Apple's, from the pages named.
import Dispatch
import Foundation

// https://developer.apple.com/documentation/backgroundtasks/bgtask
open class BGTask: NSObject {
    // https://developer.apple.com/documentation/backgroundtasks/bgtask/identifier
    public let identifier: String
    // https://developer.apple.com/documentation/backgroundtasks/bgtask/expirationhandler
    open var expirationHandler: (() -> Void)?

    init(identifier: String) { self.identifier = identifier }

    // https://developer.apple.com/documentation/backgroundtasks/bgtask/settaskcompleted(success:)
    open func setTaskCompleted(success: Bool) {}
}

// https://developer.apple.com/documentation/foundation/progressreporting
public protocol ProgressReporting: NSObjectProtocol {
    // https://developer.apple.com/documentation/foundation/progressreporting/progress
    var progress: Progress { get }
}

// https://developer.apple.com/documentation/backgroundtasks/bgcontinuedprocessingtask
@available(iOS 26.0, *)
open class BGContinuedProcessingTask: BGTask, ProgressReporting {
    public let progress = Progress(totalUnitCount: 0)
    // https://developer.apple.com/documentation/backgroundtasks/bgcontinuedprocessingtask/title
    public private(set) var title = ""
    // https://developer.apple.com/documentation/backgroundtasks/bgcontinuedprocessingtask/subtitle
    public private(set) var subtitle = ""

    // https://developer.apple.com/documentation/backgroundtasks/bgcontinuedprocessingtask/updatetitle(_:subtitle:)
    open func updateTitle(_ title: String, subtitle: String) {
        self.title = title
        self.subtitle = subtitle
    }
}

// https://developer.apple.com/documentation/backgroundtasks/bgtaskrequest
open class BGTaskRequest: NSObject {
    // https://developer.apple.com/documentation/backgroundtasks/bgtaskrequest/identifier
    public let identifier: String
    init(identifier: String) { self.identifier = identifier }
}

// https://developer.apple.com/documentation/backgroundtasks/bgcontinuedprocessingtaskrequest
@available(iOS 26.0, *)
open class BGContinuedProcessingTaskRequest: BGTaskRequest {
    // https://developer.apple.com/documentation/backgroundtasks/bgcontinuedprocessingtaskrequest/submissionstrategy
    public enum SubmissionStrategy: Int, Sendable {
        case fail = 0
        case queue = 1
    }

    // https://developer.apple.com/documentation/backgroundtasks/bgcontinuedprocessingtaskrequest/strategy
    open var strategy = SubmissionStrategy.queue
    // https://developer.apple.com/documentation/backgroundtasks/bgcontinuedprocessingtaskrequest/title
    open var title: String
    // https://developer.apple.com/documentation/backgroundtasks/bgcontinuedprocessingtaskrequest/subtitle
    open var subtitle: String

    // https://developer.apple.com/documentation/backgroundtasks/bgcontinuedprocessingtaskrequest/init(identifier:title:subtitle:)
    public init(identifier: String, title: String, subtitle: String) {
        self.title = title
        self.subtitle = subtitle
        super.init(identifier: identifier)
    }
}

// https://developer.apple.com/documentation/backgroundtasks/bgtaskscheduler
open class BGTaskScheduler: NSObject {
    // https://developer.apple.com/documentation/backgroundtasks/bgtaskscheduler/shared
    public class var shared: BGTaskScheduler { BGTaskScheduler() }

    // https://developer.apple.com/documentation/backgroundtasks/bgtaskscheduler/register(fortaskwithidentifier:using:launchhandler:)
    open func register(
        forTaskWithIdentifier identifier: String, using queue: DispatchQueue?, launchHandler: @escaping (BGTask) -> Void
    ) -> Bool { true }

    // https://developer.apple.com/documentation/backgroundtasks/bgtaskscheduler/submit(_:)
    open func submit(_ taskRequest: BGTaskRequest) throws {}
}
