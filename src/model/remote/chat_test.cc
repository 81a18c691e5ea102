// SPDX-License-Identifier: Apache-2.0
#include "model/remote/chat.h"

#include <gmock/gmock.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "model/remote/chat_server.h"

namespace modicum {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Result<ChatReply> AskAt(const std::string& url, double timeout = 5,
                        const std::stop_token& stop = {}) {
  ChatEndpoint endpoint;
  endpoint.url = url;
  endpoint.model = "small";
  endpoint.timeout = Seconds(timeout);
  endpoint.first_wait = Seconds(0.01);
  auto client = ChatClient::Open(endpoint);
  if (!client) return Fail(std::move(client).error());
  return (*client)->Ask("ham or spam?", 16, 1, stop);
}

TEST(EndpointUrlTest, HasAHostAndAPath) {
  const auto parts = ParseEndpointUrl("https://api.example.com:8443/v1/", true);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->origin, "https://api.example.com:8443");
  EXPECT_EQ(parts->path, "/v1");
  EXPECT_TRUE(ParseEndpointUrl("http://[::1]:8080/v1", true));
  EXPECT_TRUE(ParseEndpointUrl("http://model.lan/v1", false));
  for (const char* url : {"", "api.example.com", "ftp://a/b", "https:///v1",
                          "https://user@host/v1", "https://host/v1?x=1"})
    EXPECT_FALSE(ParseEndpointUrl(url, false)) << url;
}

TEST(EndpointUrlTest, NoKeyTravelsUnencrypted) {
  const auto parts = ParseEndpointUrl("http://model.lan/v1", true);
  ASSERT_FALSE(parts);
  EXPECT_EQ(parts.error().message,
            "url 'http://model.lan/v1' would send the key unencrypted: use "
            "https");
  EXPECT_FALSE(ParseEndpointUrl("http://127.evil.example/v1", true));
  EXPECT_TRUE(ParseEndpointUrl("http://127.0.0.1:8080/v1", true));
}

TEST(ChatReplyTest, HasTextAndTokens) {
  const auto reply = ParseChatReply(ChatServer::Completion("ham"), "u");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->text, "ham");
  EXPECT_EQ(reply->tokens_in, 40U);
  EXPECT_EQ(reply->tokens_out, 2U);
}

TEST(ChatReplyTest, AnythingElseIsRefused) {
  for (const char* body :
       {"", "null", "[]", "{", "<html>", "{}", R"({"choices": []})",
        R"({"choices": [{"message": {"content": null}}]})",
        R"({"choices": [{"message": {"content": "a"}}]})",
        R"({"choices": [{"message": {"content": "a"}}], "usage": 1})",
        R"({"choices": [{"message": {"content": "a"}}],
            "usage": {"prompt_tokens": -1, "completion_tokens": 1}})",
        R"({"choices": [{"message": {"content": "a"}}],
            "usage": {"prompt_tokens": 0, "completion_tokens": 1}})"})
    EXPECT_FALSE(ParseChatReply(body, "u")) << body;
}

TEST(ChatRequestTest, IsValidJsonWhateverIsAsked) {
  const auto json = nlohmann::json::parse(
      ChatRequestJson("m", "quote \" and \xff and \n", 16, 7));
  EXPECT_EQ(json["messages"][0]["role"], "user");
  EXPECT_EQ(json["temperature"], 0);
  EXPECT_EQ(json["seed"], 7);
}

TEST(ChatClientTest, AsksAndIsAnswered) {
  std::string asked;
  const ChatServer server([&](const auto& request, auto& response) {
    asked = request.body;
    ChatServer::Answer(response, "spam");
  });
  const auto reply = AskAt(server.url());
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->text, "spam");
  EXPECT_THAT(asked, HasSubstr("ham or spam?"));
}

TEST(ChatClientTest, ABusyEndpointIsAskedAgain) {
  int asked = 0;
  const ChatServer server([&](const auto&, auto& response) {
    if (++asked < 3) {
      response.status = 429;
      return;
    }
    ChatServer::Answer(response, "ham");
  });
  EXPECT_TRUE(AskAt(server.url()));
  EXPECT_EQ(server.requests(), 3);
}

TEST(ChatClientTest, AnEndpointThatStaysBusyIsGivenUp) {
  const ChatServer server([](const auto&, auto& response) {
    response.status = 503;
    response.set_content("no room", "text/plain");
  });
  const auto reply = AskAt(server.url());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kRetry);
  EXPECT_EQ(reply.error().message,
            server.url() + "/chat/completions answered HTTP 503: no room");
  EXPECT_EQ(server.requests(), 3);
}

// What answers HTTP with a status alone comes to.
Error ErrorOfStatus(int status, const std::string& key_variable = {}) {
  const ChatServer server(
      [&](const auto&, auto& response) { response.status = status; });
  ChatEndpoint endpoint;
  endpoint.url = server.url();
  endpoint.model = "small";
  endpoint.key = key_variable.empty() ? "" : "s3cret";
  endpoint.key_variable = key_variable;
  endpoint.first_wait = Seconds(0.01);
  const auto reply = (*ChatClient::Open(endpoint))->Ask("?", 16, 1, {});
  EXPECT_FALSE(reply);
  EXPECT_EQ(server.requests(), status == 429 || status >= 500 ? 3 : 1);
  return reply.error();
}

TEST(ChatClientTest, ARefusedKeyIsNotTriedAgain) {
  const Error keyless = ErrorOfStatus(401);
  EXPECT_EQ(keyless.code, ErrorCode::kPermission);
  EXPECT_THAT(keyless.message, EndsWith("/v1/chat/completions answered HTTP "
                                        "401"));
  EXPECT_THAT(keyless.hint, StartsWith("no key was sent: key in [[remote]]"));
  const Error keyed = ErrorOfStatus(403, "SMALL_KEY");
  EXPECT_EQ(keyed.code, ErrorCode::kPermission);
  EXPECT_EQ(keyed.hint,
            "the key in SMALL_KEY was sent: is it right, and may it use "
            "'small'?");
}

TEST(ChatClientTest, EachStatusHasItsCure) {
  EXPECT_EQ(ErrorOfStatus(404).hint,
            "is there a model 'small', and is the url complete (.../v1)?");
  EXPECT_THAT(ErrorOfStatus(429).hint, HasSubstr("parallel in [[remote]]"));
  EXPECT_THAT(ErrorOfStatus(502).hint, StartsWith("the fault is the endpoint"));
  EXPECT_THAT(ErrorOfStatus(301).hint, StartsWith("it leads elsewhere"));
  EXPECT_THAT(ErrorOfStatus(400).hint, HasSubstr("model 'small'"));
}

TEST(ChatClientTest, ASlowEndpointTimesOut) {
  const ChatServer server([](const auto&, auto& response) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    ChatServer::Answer(response, "late");
  });
  const auto reply = AskAt(server.url(), 0.05);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kRetry);
  EXPECT_EQ(reply.error().message,
            server.url() +
                "/chat/completions did not answer within 0.05 s, in 3 tries");
  EXPECT_EQ(reply.error().hint, "timeout_s in [[remote]] gives it longer");
}

// Each piece comes in time, the whole never would.
TEST(ChatClientTest, OneThatDripsTimesOutToo) {
  const ChatServer server([](const auto&, auto& response) {
    response.set_content_provider(
        1000, "application/json", [](size_t, size_t, httplib::DataSink& sink) {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          return sink.write(" ", 1);
        });
  });
  const auto reply = AskAt(server.url(), 0.1);
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message, HasSubstr("did not answer within 0.1 s"));
}

TEST(ChatClientTest, NobodyThereIsSaid) {
  const auto reply = AskAt("http://127.0.0.1:1/v1");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().message,
            "http://127.0.0.1:1/v1/chat/completions refused the connection, in "
            "3 tries");
  EXPECT_EQ(reply.error().hint,
            "is its server running, and does it listen on that port?");
}

TEST(ChatClientTest, ANameThatIsNotFoundIsSaid) {
  // Longer than a name can be: no name server is asked.
  const std::string name(70, 'x');
  const auto reply = AskAt("http://" + name + "/v1");
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message,
              HasSubstr("cannot be asked: no machine named '" + name + "'"));
}

TEST(ChatClientTest, AConnectionThatEndsEarlyIsSaid) {
  const ChatServer server([](const auto&, auto& response) {
    response.set_content_provider(1000, "application/json",
                                  [](size_t at, size_t, auto& sink) {
                                    return at == 0 && sink.write("{", 1);
                                  });
  });
  const auto reply = AskAt(server.url());
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message,
              HasSubstr("closed the connection in the middle of its answer"));
}

TEST(ChatClientTest, AServerWithoutTlsIsSaid) {
  const ChatServer server([](const auto&, auto&) {});
  const auto reply = AskAt("https" + server.url().substr(4));
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message,
              HasSubstr("made no encrypted connection (TLS)"));
}

TEST(ExcerptTest, IsOneLineOfUtf8) {
  EXPECT_EQ(Excerpt("a\nb\x1b[31m", 20), "a b [31m");
  EXPECT_EQ(Excerpt("abc\xc3\xa9", 4), "abc...");
  EXPECT_EQ(Excerpt("a\xff", 20), "a\xEF\xBF\xBD");
}

TEST(ChatClientTest, AnEndlessAnswerIsCutOff) {
  const ChatServer server([](const auto&, auto& response) {
    response.set_content(std::string(kMostReply + 1, 'x'), "text/plain");
  });
  const auto reply = AskAt(server.url());
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message, HasSubstr("answered more than 1 MB"));
  EXPECT_EQ(server.requests(), 1);
}

TEST(ChatClientTest, GarbageIsNoAnswer) {
  const ChatServer server([](const auto&, auto& response) {
    response.set_content("data: {\"x\":", "text/event-stream");
  });
  const auto reply = AskAt(server.url());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kInvalidInput);
}

class StoppedChat : public testing::Test {
 protected:
  std::stop_source stop_;
};

TEST_F(StoppedChat, EndsItsWait) {
  const ChatServer server([&](const auto&, auto& response) {
    response.status = 503;
    response.set_header("Retry-After", "20");
    stop_.request_stop();
  });
  const auto began = std::chrono::steady_clock::now();
  const auto reply = AskAt(server.url(), 5, stop_.get_token());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kInterrupted);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

}  // namespace
}  // namespace modicum
