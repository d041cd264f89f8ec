// A bus with scripted delivery results. Only tests include this.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "platform/bus/bus.hpp"

namespace trackops::relay {

inline std::string name_of(const bus::OutgoingMessage& message) {
    std::string sequence;
    for (const auto& header : message.headers) {
        if (header.name == "ce_sequence") sequence = header.value;
    }
    return fmt::format("{}{}", static_cast<char>(Uuid::parse(message.key)->bytes[15]), sequence);
}

// Publishes messages with the results of `script`. Records the acknowledged messages in order, and
// each call of publish().
class ScriptedBus final : public bus::Bus {
public:
    std::function<bus::Delivery(const std::string& name)> script = [](const std::string&) {
        return bus::Delivery::acknowledged;
    };
    // The acknowledged messages, for example "a1 b1".
    std::string taken;
    // The messages of each publish() call, acknowledged or not.
    std::vector<std::string> bursts;
    std::function<void()> after_burst = [] {};

    void ensure_topics(std::span<const std::string>) override {}
    std::unique_ptr<bus::Publisher> publisher() override {
        class Scripted final : public bus::Publisher {
        public:
            explicit Scripted(ScriptedBus& bus) : bus_(bus) {}
            std::vector<bus::Delivery> publish(
                std::span<const bus::OutgoingMessage> messages) override {
                std::vector<bus::Delivery> deliveries;
                std::string burst;
                for (const auto& message : messages) {
                    const std::string name = name_of(message);
                    burst += burst.empty() ? name : " " + name;
                    deliveries.push_back(bus_.script(name));
                    if (deliveries.back() == bus::Delivery::acknowledged) {
                        bus_.taken += bus_.taken.empty() ? name : " " + name;
                    }
                }
                bus_.bursts.push_back(burst);
                bus_.after_burst();
                return deliveries;
            }

        private:
            ScriptedBus& bus_;
        };
        return std::make_unique<Scripted>(*this);
    }
    std::unique_ptr<bus::Subscription> subscribe(std::string_view,
                                                 std::span<const std::string>) override {
        return nullptr;
    }
    void ping() override {}
    std::vector<bus::TopicState> state(std::string_view) override { return {}; }
};

}  // namespace trackops::relay
