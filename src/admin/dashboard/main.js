/*
 * main: begins all of it. The first poll is that of /v1/status: it goes on asking when the service is gone.
 */
new Poll(
    () => '/v1/status',
    () => 1000,
    showStatus,
);
beginTiles();
beginStore();
beginNodes();
beginReloads();
beginDialog();
beginFocus();
beginTraffic();
beginRules();
beginTop();
beginLook();
beginChanged();
polls.forEach(poll => poll.now());
