#include "server/control/steering.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/log/escape.hpp"
#include "base/log/log_level.hpp"
#include "server/control/control_codes.hpp"
#include "server/control/reload_text.hpp"
#include "server/post_mortem/live_stack.hpp"
#include "server/supervision/worker_stack.hpp"

namespace cppcorn {
namespace {

constexpr int most_orders_at_once = 16;
constexpr Milliseconds usual_boot_time = std::chrono::seconds(60); // where --boot-timeout is off

static_assert(2 * most_workers <= Workforce::most_processes && highest_slot == Workforce::most_processes - 1);

const char* state_text(WorkerState state) {
    switch (state) {
        case WorkerState::starting:
            return "is starting";
        case WorkerState::retiring:
            return "is retiring already";
        case WorkerState::overdue:
            return "is being ended: it has overrun its time";
        case WorkerState::serving:
            break;
    }
    return "serves";
}

// The order's line in the log. Who gave it stands in the line of the status process that has the same number.
std::string cause_of(const NumberedOrder& numbered) {
    return fmt::format("Handling order {}: {}", OrderBook::shown(numbered.number), text_of(numbered.order));
}

} // namespace

Steering::Steering(MasterLife& life, Deployment& deployment, Workforce& workforce, PostMortems& post_mortems, Act act)
    : life_(life), deployment_(deployment), workforce_(workforce), post_mortems_(post_mortems), act_(std::move(act)) {}

Steering::Outcome Steering::done(std::string text) {
    return {OrderState::done, control_done, std::move(text)};
}

Steering::Outcome Steering::failed(int code, std::string text) {
    return {OrderState::failed, code, std::move(text)};
}

Steering::Outcome Steering::running() {
    return {OrderState::running, 0, ""};
}

void Steering::note(std::uint64_t number, const Outcome& outcome) {
    workforce_.orders().note({number, outcome.state, outcome.code, outcome.text});
}

void Steering::note(std::uint64_t number, const Outcome& outcome, std::string_view words) {
    if (outcome.state == OrderState::failed) {
        spdlog::warn("Order {} failed: {}: {}", OrderBook::shown(number), words,
                     outcome.text.substr(0, outcome.text.find('\n')));
    }
    note(number, outcome);
}

void Steering::take_orders() {
    for (int i = 0; i < most_orders_at_once; ++i) {
        const auto order = workforce_.take_order();
        if (!order) return;
        note(order->number, running());
        try {
            note(order->number, begin(*order), text_of(order->order));
        } catch (const std::exception& error) {
            note(order->number, failed(control_failed, error.what()), text_of(order->order));
        }
    }
}

Steering::Outcome Steering::begin(const NumberedOrder& numbered) {
    const auto& [number, order] = numbered;
    const std::string cause = cause_of(numbered);
    switch (order.kind) {
        case OrderKind::reload:
            return begin_reload(numbered);
        case OrderKind::scale:
            return scale(order.argument, cause);
        case OrderKind::stop:
            return stop(cause);
        case OrderKind::reopen:
            act_(MasterAction::reopen_logs, cause);
            return done("The log files are open anew; the error log says if one could not be opened");
        case OrderKind::recycle:
            spdlog::info("{}", cause);
            return recycle(number, static_cast<int>(order.argument));
        case OrderKind::stack:
            return show_stack(number, static_cast<int>(order.argument));
        case OrderKind::log_level:
            spdlog::info("{}", cause);
            return change_level(static_cast<LogLevel>(order.argument));
        case OrderKind::drain:
            spdlog::info("{}", cause);
            return drain();
    }
    return failed(control_usage, "An unknown order");
}

std::optional<Steering::Outcome> Steering::refused(int signal, MasterReaction& reaction) {
    const bool can_delay =
        deployment_.current().settings().shutdown_delay.count() > 0 && workforce_.table().serving() > 0;
    reaction = life_.signalled(signal, can_delay);
    const bool does_nothing = reaction.action == MasterAction::ignore || reaction.action == MasterAction::refuse;
    if (!does_nothing) return std::nullopt;
    return failed(control_not_now, fmt::format("Not now: {}", reaction.reason));
}

// ---- Orders that signals can give as well

Steering::Outcome Steering::begin_reload(const NumberedOrder& numbered) {
    const Rollout& rollout = deployment_.rollout();
    if (life_.is(MasterState::loading)) return failed(control_not_now, "Not now: the server has not started yet");
    if (rollout.is_under_way() || rollout.unsettled() || (reload_ && reload_->new_generation == 0)) {
        return failed(control_not_now, "Not now: a reload is under way");
    }
    MasterReaction reaction;
    if (const auto refusal = refused(SIGHUP, reaction)) return *refusal;
    // Of one that still waits for the end of old workers.
    if (reload_) {
        note(reload_->number, failed(control_failed, "Another reload has begun meanwhile\n" + reload_->text), "reload");
    }
    const SteadyTime now = SteadyClock::now();
    Reload reload;
    reload.number = numbered.number;
    reload.waits_for_old = numbered.order.argument == 1;
    reload.began = now;
    reload.before = facts_of(deployment_.current());
    reload.give_up_at = patience_from(now);
    for (std::size_t i = 0; i < reload.results.size(); ++i)
        reload.results[i] = workforce_.shown_board().reloads[i].value();
    reload_ = std::move(reload);
    act_(reaction.action, cause_of(numbered));
    return running();
}

Steering::Outcome Steering::scale(std::int64_t workers, const std::string& cause) {
    const int before = workforce_.table().wanted();
    MasterReaction reaction;
    if (const auto refusal = refused(SIGTTIN, reaction)) return *refusal;
    workforce_.want(static_cast<int>(workers));
    spdlog::info("{}; now {} {}", cause, workers, workers == 1 ? "worker" : "workers");
    return done(fmt::format("{} {} wanted, until the next reload; {} before", workers,
                            workers == 1 ? "worker is" : "workers are", before));
}

Steering::Outcome Steering::stop(const std::string& cause) {
    MasterReaction reaction;
    if (const auto refusal = refused(SIGTERM, reaction)) return *refusal;
    act_(reaction.action, cause);
    if (reaction.action != MasterAction::delay_stop) return done("Stopping");
    const std::chrono::duration<double> delay = deployment_.current().settings().shutdown_delay;
    return done(fmt::format("Stopping in {} s (--shutdown-delay)", delay.count()));
}

// ---- Orders about one worker

const WorkerEntry* Steering::worker_in(int slot) const {
    const auto& entries = workforce_.table().entries();
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const WorkerEntry& entry) { return entry.slot == slot; });
    return found == entries.end() ? nullptr : &*found;
}

// Another worker may have to wait for those that retire before it is started.
SteadyTime Steering::patience_from(SteadyTime now) const {
    const Settings& settings = deployment_.current().settings();
    const bool has_limit = settings.boot_timeout.count() > 0;
    return now + (has_limit ? settings.boot_timeout : usual_boot_time) + settings.worker.graceful_timeout;
}

Steering::Outcome Steering::recycle(std::uint64_t number, int slot) {
    const WorkerEntry* const worker = worker_in(slot);
    if (worker == nullptr) return failed(control_no_slot, fmt::format("No worker has slot {}", slot));
    if (life_.ending()) return failed(control_not_now, "Not now: the server is stopping");
    const bool is_old = worker->generation != workforce_.table().generation();
    if (worker->state != WorkerState::serving || is_old) {
        return failed(control_not_now, fmt::format("Not now: the worker in slot {} (pid:{}) {}", slot, worker->pid,
                                                   is_old ? "is being replaced" : state_text(worker->state)));
    }
    workforce_.replace(worker->pid);
    recyclings_.push_back({number, worker->pid, patience_from(SteadyClock::now())});
    return running();
}

Steering::Outcome Steering::show_stack(std::uint64_t number, int slot) {
    const WorkerEntry* const worker = worker_in(slot);
    if (worker == nullptr) return failed(control_no_slot, fmt::format("No worker has slot {}", slot));
    Death facts =
        facts_of_living(*worker, workforce_.slot(slot), *deployment_.rollout().release_of(worker->generation));
    const std::string where = facts.request.empty() ? "it serves no request" : request_text(facts);
    facts.headline = fmt::format("Worker in slot {} (pid:{}): {}", slot, worker->pid, where);
    if (auto outcome = ask_interpreter_for_stack(number, *worker, facts)) return *std::move(outcome);
    if (!post_mortems_.takes_living()) return failed(control_not_now, "Not now: other stacks come first");
    try {
        facts.stack = take_live_stack(worker->pid);
    } catch (const std::exception& error) {
        return failed(control_failed, fmt::format("{}; no stack: {}", facts.headline, error.what()));
    }
    facts.tell = [this, number](const std::string& text) { note(number, done(text)); };
    post_mortems_.add_living(std::move(facts));
    return running();
}

std::optional<Steering::Outcome> Steering::ask_interpreter_for_stack(std::uint64_t number, const WorkerEntry& worker,
                                                                     const Death& facts) {
    if (!InterpreterStack::can_ask(worker.pid)) return std::nullopt;
    if (asked_stack_) return failed(control_not_now, "Not now: another stack comes first");
    stack_.ask(worker.pid, SteadyClock::now());
    asked_stack_ = AskedStack{number, facts.headline};
    return running();
}

// ---- Orders that last until the next reload

Steering::Outcome Steering::change_level(LogLevel level) {
    workforce_.set_log_level(level);
    return done(fmt::format("The error log has level {}, until the next reload", row_of(level).name));
}

Steering::Outcome Steering::drain() {
    workforce_.drain();
    return done("Draining: /ready answers 503, and connections end with their next answer, until the next reload");
}

// ---- What becomes of those that are running

void Steering::supervise(SteadyTime now) {
    if (reload_) {
        if (const auto outcome = look_at_reload(now)) {
            note(reload_->number, *outcome, "reload");
            reload_.reset();
        }
    }
    if (asked_stack_) {
        if (const auto text = stack_.look(now)) {
            const std::string shown =
                text->empty() ? "; no stack: its interpreter does not answer" : "\n" + readable(*text);
            note(asked_stack_->number,
                 text->empty() ? failed(control_failed, asked_stack_->headline + shown)
                               : done(asked_stack_->headline + shown),
                 "stack");
            asked_stack_.reset();
        }
    }
    const auto is_over = [&](const Recycling& recycling) {
        const auto outcome = look_at(recycling, now);
        if (outcome) note(recycling.number, *outcome, "recycle");
        return outcome.has_value();
    };
    recyclings_.erase(std::remove_if(recyclings_.begin(), recyclings_.end(), is_over), recyclings_.end());
}

std::optional<Steering::Outcome> Steering::look_at_reload(SteadyTime now) {
    if (life_.stopping()) return failed(control_failed, "Reload failed: the server stops");
    if (reload_->new_generation == 0) {
        if (auto outcome = reload_result(now); outcome && outcome->state != OrderState::done) return outcome;
        if (reload_->new_generation == 0) return std::nullopt;
    }
    if (reload_->waits_for_old && has_old_workers()) return std::nullopt;
    return done(reload_->text + (reload_->waits_for_old ? "\nThe old workers have gone" : ""));
}

std::optional<Steering::Outcome> Steering::reload_result(SteadyTime now) {
    const auto has_come = [&](ReloadResult result) {
        const auto index = static_cast<std::size_t>(result);
        return workforce_.shown_board().reloads[index].value() > reload_->results[index];
    };
    if (has_come(ReloadResult::refused) || has_come(ReloadResult::rolled_back)) {
        return failed(control_failed,
                      fmt::format("Reload failed: {}; the old workers serve on", deployment_.reload_failure()));
    }
    const WorkerTable& table = workforce_.table();
    if (has_come(ReloadResult::done)) {
        const std::chrono::duration<double> took = now - reload_->began;
        reload_->new_generation = table.generation();
        reload_->text = fmt::format("Reloaded: {} new {} after {:.2f} s\n{}", table.wanted(),
                                    table.wanted() == 1 ? "worker serves" : "workers serve", took.count(),
                                    reload_text(reload_->before, facts_of(deployment_.current())));
        return done("");
    }
    // Some of the new ones may start and others not: there is no way back then, and no end.
    if (const int serving = table.serving(); std::exchange(reload_->serving, serving) != serving) {
        reload_->give_up_at = patience_from(now);
    }
    const bool is_adopted = !deployment_.rollout().is_under_way() && !deployment_.rollout().unsettled();
    if (!is_adopted) reload_->give_up_at = patience_from(now);
    if (now < reload_->give_up_at) return std::nullopt;
    return failed(control_failed, "The reload goes on: not all new workers can start; the error log says why");
}

bool Steering::has_old_workers() const {
    const auto& entries = workforce_.table().entries();
    return std::any_of(entries.begin(), entries.end(),
                       [&](const WorkerEntry& entry) { return entry.generation < reload_->new_generation; });
}

std::optional<Steering::Outcome> Steering::look_at(const Recycling& recycling, SteadyTime now) const {
    const WorkerEntry* const worker = workforce_.table().entry_of(recycling.pid);
    if (worker == nullptr) return done(fmt::format("Worker (pid:{}) has gone", recycling.pid));
    if (worker->state == WorkerState::retiring) {
        return done(fmt::format("Another worker serves in the place of pid:{}, which retires", recycling.pid));
    }
    if (now < recycling.give_up_at) return std::nullopt;
    return failed(control_failed, fmt::format("No other worker has become ready yet; pid:{} serves on", recycling.pid));
}

SteadyTime Steering::due() const {
    SteadyTime due = SteadyTime::max();
    if (reload_ && reload_->new_generation == 0) due = reload_->give_up_at;
    due = std::min(due, stack_.due());
    for (const auto& recycling : recyclings_) due = std::min(due, recycling.give_up_at);
    return due;
}

} // namespace cppcorn
