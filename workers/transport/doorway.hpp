// How a service that stops ends its listening sockets, for all processes that share them, so that no client is let in
// that will not be answered: first nobody new is let in, while those arrive that are at the door; then it is shut.
#pragma once

namespace cppcorn {

// No further connection begins: a TCP client tries again and is refused once the door is shut, any other is refused at
// once. What has begun can still be accepted; with TCP, for a moment more comes.
void let_in_no_more(int listener);
// Who connects is refused. What has not been accepted by now is lost.
void shut(int listener);

} // namespace cppcorn
