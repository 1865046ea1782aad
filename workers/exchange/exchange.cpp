#include "workers/exchange/exchange.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include "base/log/escape.hpp"
#include "base/log/logged_request.hpp"
#include "workers/app/app_boundary.hpp"
#include "workers/app/app_fork.hpp"
#include "workers/http/error_response.hpp"
#include "workers/http/request_marks.hpp"

namespace cppcorn {
namespace {

constexpr std::string_view server_line = "Server: cppcorn\r\n";
constexpr std::string_view continue_response = "HTTP/1.1 100 Continue\r\n\r\n";

http::UnderscoreNames underscore_names(HeaderMap map) {
    switch (map) {
        case HeaderMap::refuse:
            return http::UnderscoreNames::refuse;
        case HeaderMap::dangerous:
            return http::UnderscoreNames::keep;
        case HeaderMap::drop:
            break;
    }
    return http::UnderscoreNames::drop;
}

int status_of_failed_body(int error) {
    switch (error) {
        case -ETIMEDOUT:
            return 408;
        case -EFBIG:
            return 413;
        case -EIO: // not the client's fault
            return 500;
        default:
            return 400;
    }
}

// An answer that any client has room for, so that all of it is there before anything that is sent later.
constexpr std::size_t taken_at_once = 2048;

constexpr std::chrono::hours longest_queue_time{24};

} // namespace

Exchange::Exchange(const WorkerSettings& settings)
    : parser_(settings.limits, underscore_names(settings.header_map)),
      body_(parser_, input_, settings.body_buffer),
      response_(output_),
      log_(parser_, response_, output_),
      parking_({input_, output_, parser_, body_, response_, log_}) {}

// ---- The request

Stage Exchange::advance(const Peer& peer, WorkerContext& context) {
    if (stage_ <= Stage::head) read_head(peer, context);
    if (stage_ == Stage::body) gather_body(peer, context);
    if (stage_ == Stage::draining) drain_body();
    return stage_;
}

void Exchange::read_head(const Peer& peer, WorkerContext& context) {
    parser_.keep_names(peer.trusted ? &context.forwarding.forwarder_names() : nullptr);
    const http::Progress progress = parser_.next(input_.unconsumed());
    if (progress.step == http::Step::refused) {
        refuse(parser_.refusal().status, parser_.refusal().reason, peer, context);
        return;
    }
    input_.consume(progress.consumed);
    if (progress.step != http::Step::head) {
        // Line ends alone may belong to the request before.
        const bool has_begun = input_.unconsumed().find_first_not_of("\r\n") != std::string_view::npos;
        stage_ = has_begun ? Stage::head : Stage::fresh;
        return;
    }
    input_.pin();
    stage_ = Stage::body;
    body_.begin(parser_.head().has_body() ? spool_for_body(context) : nullptr);
    const http::Verdict verdict = read_forwarded(peer, context);
    if (!verdict.accepted()) return refuse(verdict.status, verdict.reason, peer, context);
    if (context.app.before_body != nullptr && body_.is_offered()) stage_ = Stage::offered;
}

// Null: its body is not to go there, or never will fit.
Spool* Exchange::spool_for_body(WorkerContext& context) const {
    const std::int64_t length = std::max<std::int64_t>(parser_.head().content_length, 0);
    const bool is_read_as_it_arrives = (context.app.flags & CPPCORN_READS_AS_IT_ARRIVES) != 0;
    const bool fits = context.spool.is_on() && context.spool.can_hold(static_cast<std::uint64_t>(length));
    return fits && !is_read_as_it_arrives ? &context.spool : nullptr;
}

// From the proxy to the app, which is called now. A clock that is ahead of ours, or a day behind, tells nothing.
void Exchange::note_queue_time(WorkerContext& context) {
    using namespace std::chrono;
    const auto now = duration_cast<microseconds>(system_clock::now().time_since_epoch());
    const microseconds time = now - microseconds(proxy_started_us_);
    if (time.count() < 0 || time > longest_queue_time) return;
    log_.note_queue_time(time);
    context.slot.counters.queue_times.add(time);
    char* const begin = queue_time_text_.data();
    const char* const end = std::to_chars(begin, begin + queue_time_text_.size(), time.count()).ptr;
    parser_.head().fields.push_back({http::queue_time_field, {begin, static_cast<std::size_t>(end - begin)}});
}

http::Verdict Exchange::read_forwarded(const Peer& peer, WorkerContext& context) {
    http::RequestHead& head = parser_.head();
    const http::RequestMarks marks =
        http::may_have_marks(head) ? http::take_marks(head, peer.trusted) : http::RequestMarks{};
    log_.name(marks.id, context.ids);
    proxy_started_us_ = marks.started_us;
    http::Verdict verdict;
    if (peer.trusted) {
        verdict = context.forwarding.read(head, forwarded_);
    } else {
        forwarded_ = {};
        context.forwarding.strip(head);
    }
    // Whoever asks for the id finds it among the fields, whether it was given or is made.
    if (marks.id.empty()) head.fields.push_back({http::request_id_field, log_.id()});
    return verdict;
}

void Exchange::gather_body(const Peer& peer, WorkerContext& context) {
    if (body_.gather()) {
        stage_ = Stage::ready;
    } else if (body_.error() != 0) {
        refuse(parser_.refusal().status, parser_.refusal().reason, peer, context);
    } else if (body_.continue_wanted() && !body_.wants_room() && input_.empty()) {
        output_.tail() += continue_response;
        body_.settle_continue();
    }
}

void Exchange::drain_body() {
    if (!body_.drain()) return conclude(Outcome::last);
    if (body_.complete()) stage_ = Stage::answered;
}

// ---- The app's turn

void Exchange::ask_app(Stream& stream, const Peer& peer, WorkerContext& context) {
    const LoggedRequest logged({log_.id(), parser_.head().line, peer.address});
    const int result = call(context.app.before_body, stream, peer, context);
    if (result != 0 || failed_ || response_.begun() || response_.error() != 0)
        return finish_call(result, stream, peer, context);
    context.slot.interrupt_request();
    stage_ = Stage::body;
}

void Exchange::run_app(Stream& stream, const Peer& peer, WorkerContext& context) {
    const LoggedRequest logged({log_.id(), parser_.head().line, peer.address});
    const int result = call(context.app.handle, stream, peer, context);
    body_.release_file();
    finish_call(result, stream, peer, context);
}

int Exchange::call(AppFunction function, Stream& stream, const Peer& peer, WorkerContext& context) {
    const SteadyTime started = context.now();
    log_.begin(started);
    if (proxy_started_us_ != 0 && !log_.has_queue_time()) note_queue_time(context);
    const cppcorn_request& request = request_.fill(parser_.head(), body_, forwarded_, peer, context.settings.root_path);
    AppCall call{stream, context, {}, {}, {}};
    call_ = &call;
    const Milliseconds timeout = context.settings.timeout;
    const SteadyTime deadline = timeout.count() > 0 ? started + timeout : SteadyTime::max();
    context.slot.begin_request(parser_.head().line, peer.address, log_.id(), started, deadline);
    context.desk.enter_app(output_.bytes(), stream.sent(), parser_.head().method == "HEAD", log_.id(), deadline);
    context.lookout.note_request();
    const int result = call_app(function, context.app.self, &request);
    call.recall(output_);
    context.refresh_clock_after_call();
    call_ = nullptr;
    return result;
}

void Exchange::finish_call(int result, const Stream& stream, const Peer& peer, WorkerContext& context) {
    finish_response(result, context);
    context.slot.counters.note_request(response_.status(), log_.age(context.now()));
    if (context.access_log.active()) log_.write_access_line(peer, context);
    const bool client_takes_nothing = response_.error() == -EPIPE || response_.error() == -ETIMEDOUT;
    if (client_takes_nothing) drop_output(context);
    show_answer(stream, context);
    context.slot.end_request();
}

std::int64_t Exchange::read(char* buffer, std::size_t room) {
    if (room == 0) return -EINVAL;
    if (stage_ != Stage::ready) return -EPROTO;
    while (body_.available() == 0) {
        if (body_.error() != 0) return body_.error();
        if (body_.complete()) return 0;
        if (body_.take_piece() || body_.error() != 0) continue;
        if (const int error = receive(); error != 0) body_.fail(error);
    }
    return body_.give(buffer, room);
}

// Reads more of the request from the stream. 0, or a negative errno.
int Exchange::receive() {
    if (body_.continue_wanted() && !response_.begun()) output_.tail() += continue_response;
    body_.settle_continue();
    for (;;) {
        if (const int error = flush(); error != 0) return error == -EPIPE ? -ECONNRESET : error;
        const InputBuffer::Room space = input_.room();
        const std::int64_t got = call_->stream.read(space.data, space.size);
        if (got > 0) {
            input_.commit(static_cast<std::size_t>(got));
            return 0;
        }
        if (got != -EAGAIN) return -ECONNRESET;
        const Milliseconds allowance = call_->context.settings.body_timeout;
        const auto interest = output_.empty() ? Stream::Interest::to_read : Stream::Interest::either;
        if (!call_->wait(call_->for_body, interest, body_.received(), allowance)) return -ETIMEDOUT;
    }
}

std::span<const http::Field> Exchange::take_fields(std::span<const cppcorn_field> fields) {
    given_fields_.resize(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto& [name, value] = fields[i];
        given_fields_[i] = {{name.data, name.size}, {value.data, value.size}};
    }
    return given_fields_;
}

int Exchange::start(int status, std::string_view reason, std::span<const cppcorn_field> fields) {
    if (response_.begun()) return -EALREADY;
    const auto given = take_fields(fields);
    http::ResponseContext how = response_context(call_->context);
    how.reason = reason;
    const int result = response_.start(how, status, given);
    if (result == 0 && call_->context.access_log.wants_response_fields()) {
        for (const auto& field : given) log_.keep_field(field);
    }
    return result;
}

int Exchange::write(std::string_view data) {
    if (response_.ended()) return -EPROTO;
    const int result = response_.write(*call_, data);
    if (result == -EMSGSIZE && !std::exchange(excess_logged_, true)) {
        spdlog::error("Response to {} is longer than its Content-Length: cut there", describe());
    }
    return result;
}

int Exchange::flush() {
    const bool goes_on = response_.whole() && response_.keep_alive() && body_.complete();
    if (goes_on) call_->next = input_.unconsumed();
    return response_.flush(*call_);
}

int Exchange::send_file(int file, std::int64_t offset, std::int64_t size) {
    if (!response_.begun() || response_.ended()) return -EPROTO;
    if (offset < 0 || size < 0) return -EINVAL;
    UniqueFd own(::fcntl(file, F_DUPFD_CLOEXEC, 3));
    if (own.is_open()) return response_.send_file(*call_, std::move(own), offset, size);
    return errno == EMFILE ? response_.send_copied(*call_, file, offset, size) : -errno;
}

int Exchange::extend_deadline(Milliseconds time) {
    if (is_fork_of_worker()) return -EPERM; // the slot is the worker's, which may be busy with another request by now
    ScoreboardSlot& slot = call_->context.slot;
    // Never to sooner: the master may be asleep until the present one. Without --timeout there is none.
    const SteadyTime deadline = std::max(slot.deadline(), call_->context.precise_now() + time);
    slot.extend_deadline(deadline);
    call_->context.desk.set_deadline(deadline);
    return 0;
}

int Exchange::fail(std::string_view reason) {
    if (!failed_) spdlog::error("Error handling request {}: {}", describe(), escaped(reason));
    failed_ = true;
    return 0;
}

int Exchange::finish() {
    if (!response_.begun()) return -EPROTO;
    if (response_.error() != 0) return response_.error();
    if (!response_.end()) return -EBADMSG;
    return flush();
}

bool Exchange::client_gone() const {
    return response_.error() == -EPIPE || body_.error() == -ECONNRESET || call_->stream.is_closed_by_client();
}

int Exchange::early_hints(std::span<const cppcorn_field> fields) {
    if (response_.begun()) return -EALREADY;
    if (parser_.head().minor == 0) return 0;
    return http::write_early_hints(take_fields(fields), output_.tail()) ? flush() : -EINVAL;
}

// ---- The answer

void Exchange::finish_response(int result, WorkerContext& context) {
    const bool begun = response_.begun();
    const auto answer_instead = [&](int status) {
        const http::Field* accept = parser_.head().find("accept");
        answer(status, response_context(context), accept != nullptr ? accept->value : std::string_view());
    };
    if (response_.error() != 0 || body_.error() == -ECONNRESET) {
        cut(reason_of_cut(), context); // the client is gone, whatever the app made of that
    } else if (!begun && body_.error() != 0) {
        answer_instead(status_of_failed_body(body_.error()));
    } else if (failed_ || result != 0 || !begun) {
        if (!failed_) fail(result != 0 ? "it returned " + std::to_string(result) : "it returned without a response");
        if (response_.ended()) {
            end_response(context);
        } else if (begun) {
            cut("the app failed", context);
        } else {
            answer_instead(500);
        }
    } else {
        end_response(context);
    }
}

void Exchange::end_response(WorkerContext& context) {
    if (!response_.end()) {
        spdlog::error("Response to {} is shorter than its Content-Length: connection closed", describe());
        return cut("it is shorter than its Content-Length", context);
    }
    const bool keep_alive = response_.keep_alive() && body_.error() == 0 && body_.worth_draining();
    conclude(keep_alive ? Outcome::whole : Outcome::last);
}

void Exchange::answer(int status, const http::ResponseContext& context, std::string_view accept) {
    response_.put(status, http::error_response(context, status, accept, log_.id()));
    conclude(context.keep_alive && body_.worth_draining() ? Outcome::whole : Outcome::last);
}

void Exchange::refuse(int status, std::string_view reason, const Peer& peer, WorkerContext& context) {
    const std::string_view line = has_head() ? parser_.head().line : parser_.request_line_so_far(input_.unconsumed());
    if (log_.id().empty()) log_.name({}, context.ids);
    const LoggedRequest logged({log_.id(), line, peer.address});
    log_.refuse(line, status, reason, peer, context);

    http::ResponseContext how = response_context(context);
    how.keep_alive = false;
    if (!has_head()) how.head_request = line.substr(0, 5) == "HEAD ";
    const http::Field* accept = has_head() ? parser_.head().find("accept") : nullptr;
    answer(status, how,
           accept != nullptr ? accept->value
           : has_head()      ? std::string_view()
                             : http::accept_in_refused(input_.unconsumed()));
    conclude(Outcome::refused);
    context.slot.counters.note_answer(status);
    if (context.access_log.active()) log_.write_access_line(peer, context);
}

std::string_view Exchange::reason_of_cut() const {
    const bool file_failed = output_.file_failed() || response_.error() == -EIO; // on its way, or while it was copied
    if (file_failed) return "a file is shorter than announced, or cannot be read";
    if (response_.error() == -ETIMEDOUT) return "the client does not read";
    const bool client_is_gone = response_.error() == 0 || response_.error() == -EPIPE;
    return client_is_gone ? "the client is gone" : "a call of the app could not be completed";
}

void Exchange::cut(std::string_view reason, WorkerContext& context) {
    log_.cut(describe(), reason, context);
    conclude(Outcome::cut);
}

// What is queued behind it, answers to earlier requests among it, is not sent either.
void Exchange::drop_output(WorkerContext& context) {
    log_.note_dropped(context);
    output_.clear();
}

void Exchange::note_cut(std::string_view reason, const Peer& peer, WorkerContext& context) {
    // The answers that wait may be those to requests before the one that is being read.
    const bool is_this_one = stage_ == Stage::answered && has_head();
    const LoggedRequest logged(is_this_one ? RequestFacts{log_.id(), parser_.head().line, peer.address}
                                           : RequestFacts{});
    log_.cut(stage_ == Stage::answered ? describe() : std::string("an earlier request of ") + peer.address, reason,
             context);
    log_.note_dropped(context);
}

// From here on the answer is sent, whatever becomes of this worker.
void Exchange::show_answer(const Stream& stream, WorkerContext& context) {
    WorkerDesk& desk = context.desk;
    if (!desk.is_on() || ending_ == Ending::reset || response_.ends_with_connection()) return;
    if (stage_ == Stage::answered && !output_.holds_file()) {
        return desk.answer(input_.unconsumed(), output_.bytes(), 0, ending_, stream.sent());
    }
    const ParkedRequest* const parked = park(context.memory->arena(), true);
    if (parked == nullptr) return;
    const auto at = static_cast<std::uint32_t>(context.memory->arena().offset_of(parked));
    desk.answer(input_.unconsumed(), {}, at, ending_, stream.sent());
}

// The one place that decides what becomes of the connection.
void Exchange::conclude(Outcome outcome) {
    stage_ = Stage::answered;
    switch (outcome) {
        case Outcome::whole:
            ending_ = Ending::keep;
            if (body_.complete()) return;
            stage_ = Stage::draining;
            return body_.begin_draining();
        case Outcome::last:
            ending_ = may_meet_a_reset() ? Ending::linger : Ending::close;
            return;
        case Outcome::refused:
            ending_ = Ending::linger; // nobody knows what the client is still sending
            return;
        case Outcome::cut:
            ending_ = response_.ends_with_connection() ? Ending::reset : Ending::close;
            return;
    }
}

// A client that asked for the end and sent no body is taken at its word: to wait for its end costs system calls. Behind
// a body, old clients send a line end that belongs to nothing. Of a longer answer the rest would be lost, should the
// client send anything while it is on its way.
bool Exchange::may_meet_a_reset() const {
    const http::RequestHead& head = parser_.head();
    const bool client_may_send = !body_.complete() || !input_.empty() || head.keep_alive || head.has_body();
    return client_may_send || response_.body_size() > taken_at_once || output_.waiting_bytes() > taken_at_once;
}

bool Exchange::can_keep_alive(const WorkerContext& context) const {
    const bool is_willing = has_head() && parser_.head().keep_alive && !context.ends_connections() &&
                            !context.slot.is_draining() && context.settings.keep_alive.count() != 0 &&
                            body_.error() == 0;
    // A client that was never told to continue may send its body or may not: what comes next cannot be known.
    return is_willing && !body_.continue_wanted();
}

http::ResponseContext Exchange::response_context(WorkerContext& context) const {
    http::ResponseContext how;
    how.head_request = has_head() && parser_.head().method == "HEAD";
    how.minor = parser_.head().minor;
    how.keep_alive = can_keep_alive(context);
    how.date_line = context.date_line();
    how.server_line = server_line;
    return how;
}

// ---- In another worker

bool Exchange::resume(MovedConnection& moved, const Peer& peer, WorkerContext& context) {
    const RequestState& state = moved.record.request;
    const bool makes_sense = state.stage <= Stage::answered && state.stage != Stage::ready &&
                             state.stage != Stage::offered && state.ending <= Ending::reset;
    if (!makes_sense) return false;
    stage_ = state.stage;
    ending_ = state.ending;
    parking_.restore_input(moved);
    parking_.restore_output(moved);
    if (!state.has(RequestState::head_is_here)) return stage_ != Stage::body && stage_ != Stage::draining;
    const http::Verdict verdict = resume_head(moved, peer, context);
    const bool has_body_to_come = stage_ == Stage::body || stage_ == Stage::draining;
    if (verdict.accepted()) return !has_body_to_come || parking_.restore_body(moved, context.spool);
    // The limits were others there.
    if (stage_ == Stage::body) refuse(verdict.status, verdict.reason, peer, context);
    if (stage_ == Stage::draining) conclude(Outcome::refused);
    return true;
}

// The same head once more, so that what is known of it is known here.
http::Verdict Exchange::resume_head(const MovedConnection& moved, const Peer& peer, WorkerContext& context) {
    const std::size_t size = moved.section(Section::head).size();
    parser_.keep_names(peer.trusted ? &context.forwarding.forwarder_names() : nullptr);
    const http::Progress progress = parser_.next(input_.unconsumed().substr(0, size));
    input_.consume(size);
    if (progress.step == http::Step::refused) return parser_.refusal();
    if (progress.step != http::Step::head || progress.consumed != size) return {400, "malformed request"};
    input_.pin();
    body_.begin(parser_.head().has_body() ? spool_for_body(context) : nullptr);
    return read_forwarded(peer, context);
}

void Exchange::forget() {
    output_.clear();
    log_.forget();
}

// ---- The next one

void Exchange::next_request() {
    parser_.reset();
    input_.unpin();
    body_.clear();
    response_.clear();
    stage_ = Stage::fresh;
    ending_ = Ending::keep;
    failed_ = excess_logged_ = false;
    log_.clear();
}

void Exchange::clear() {
    if (stage_ != Stage::fresh || !input_.empty()) next_request();
    input_.clear();
    output_.clear();
    parking_.clear();
    unsent_.clear();
}

} // namespace cppcorn
