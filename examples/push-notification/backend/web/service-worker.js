self.addEventListener("push", (event) => {
  const { title, context, contextId } = event.data.json();
  // One notification for each session, however many messages wait.
  event.waitUntil(self.registration.showNotification(title, { tag: `${context}#${contextId}` }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  // Your page's address: it connects to the relay and gets the messages.
  event.waitUntil(self.clients.openWindow("/"));
});
