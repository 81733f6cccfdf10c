use expect_test::expect;

use super::{Mail, closed, letter, mail, opened};

#[test]
fn an_incident_by_mail() {
    let mail = mail(&opened());
    assert_eq!(mail.password.as_deref(), Some("https://smtp.example/hush"));
    assert_eq!(mail.envelope.to()[0].to_string(), "ops@example.com");
    let text = String::from_utf8(mail.bytes).unwrap().replace("\r\n", "\n");
    expect![[r#"
        From: Throughline <t@example.com>
        To: ops@example.com
        Subject: function:pay is slower: p99 100 ms =?utf-8?b?4oaS?= 147 ms
        Date: Sun, 22 Nov 2026 14:05:00 +0000
        Message-ID: <incident-12.af3c82544f648b38@example.com>
        List-Unsubscribe: <https://t.example/api/v1/notifications/unsubscribe?receiver=mail&address=ops%40example.com&k=a5b314fc2e20e96a1c61556e02d71006ce64d35388c1109cc60badd2e64286ac>
        List-Unsubscribe-Post: List-Unsubscribe=One-Click
        Auto-Submitted: auto-generated
        MIME-Version: 1.0
        Content-Type: multipart/alternative; boundary="=_fc269798666165e1"

        --=_fc269798666165e1
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        function:pay is slower: p99 100 ms =E2=86=92 147 ms
        critical =C2=B7 since 2026-11-22 15:02 +01:00 =C2=B7 production

        Most likely cause, 92 % of it: table:user: mean 4.00 ms =E2=86=92 133 ms

        Also: function:pay fails in a new way, 3 times: <b>no & "money"</b> <!chann=
        el> @here

        Affected: function:shop is slow: 60.0 ms =E2=86=92 190 ms; service:web is s=
        low: 1.20 s =E2=86=92 1.33 s

        Evidence:
        - A slow trace: https://t.example/traces/1?a=3Db&c=3Dd
        - All slow spans: https://t.example/explore?q=3D1
        - What else is affected: https://t.example/investigate?incident=3D12
        - The whole incident: https://t.example/incidents/12

        What you can do (each is shown first, and nothing is done by opening it):
        - Ignore from now on: https://t.example/act/7?k=3Dab12

        --=20
        Why you got this: the route "all" sends warnings and worse here.
        Change what you get: https://t.example/notifications
        No more of these mails: https://t.example/api/v1/notifications/unsubscribe?=
        receiver=3Dmail&address=3Dops%40example.com&k=3Da5b314fc2e20e96a1c61556e02d=
        71006ce64d35388c1109cc60badd2e64286ac

        --=_fc269798666165e1
        Content-Type: text/html; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        <!doctype html><html lang=3D"en"><head><meta charset=3D"utf-8"><meta name=
        =3D"color-scheme" content=3D"light dark"></head><body style=3D"font:16px/1.=
        5 system-ui,sans-serif;max-width:40em"><h1 style=3D"font-size:20px;border-l=
        eft:4px solid #b3261e;padding-left:12px">function:pay is slower: p99 100 ms=
         =E2=86=92 147 ms</h1><p>critical =C2=B7 since 2026-11-22 15:02 +01:00 =C2=
        =B7 production</p><p>Most likely cause, 92 % of it: table:user: mean 4.00 m=
        s =E2=86=92 133 ms</p><p>Also: function:pay fails in a new way, 3 times: &l=
        t;b&gt;no &amp; &quot;money&quot;&lt;/b&gt; &lt;!channel&gt; @here</p><p>Af=
        fected: function:shop is slow: 60.0 ms =E2=86=92 190 ms; service:web is slo=
        w: 1.20 s =E2=86=92 1.33 s</p><h2 style=3D"font-size:16px">Evidence</h2><ul=
        ><li><a href=3D"https://t.example/traces/1?a=3Db&amp;c=3Dd">A slow trace</a=
        ></li><li><a href=3D"https://t.example/explore?q=3D1">All slow spans</a></l=
        i><li><a href=3D"https://t.example/investigate?incident=3D12">What else is =
        affected</a></li><li><a href=3D"https://t.example/incidents/12">The whole i=
        ncident</a></li></ul><h2 style=3D"font-size:16px">What you can do (each is =
        shown first, and nothing is done by opening it)</h2><ul><li><a href=3D"http=
        s://t.example/act/7?k=3Dab12">Ignore from now on</a></li></ul><hr><p style=
        =3D"font-size:14px">Why you got this: the route &quot;all&quot; sends warni=
        ngs and worse here.<br><a href=3D"https://t.example/notifications">Change w=
        hat you get</a> =C2=B7 <a href=3D"https://t.example/api/v1/notifications/un=
        subscribe?receiver=3Dmail&amp;address=3Dops%40example.com&amp;k=3Da5b314fc2=
        e20e96a1c61556e02d71006ce64d35388c1109cc60badd2e64286ac">No more of these m=
        ails</a></p></body></html>

        --=_fc269798666165e1--
    "#]].assert_eq(&text);
}

#[test]
fn the_end_of_an_incident_by_mail_is_in_its_thread() {
    let (first, last) = (mail(&opened()), mail(&closed()));
    let header = |mail: &Mail, name: &str| {
        let text = String::from_utf8(mail.bytes.clone()).unwrap();
        text.lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
    };
    let root = header(&first, "Message-ID");
    assert!(root.is_some());
    assert_eq!(header(&last, "In-Reply-To"), root);
    assert_eq!(header(&last, "References"), root);
    assert_ne!(header(&last, "Message-ID"), root);
    assert_eq!(header(&first, "References"), None);
    // The same bytes each time, so that a mail that is sent again is known as the same.
    assert_eq!(mail(&closed()).bytes, last.bytes);
}

#[test]
fn a_digest_by_mail() {
    let mail = mail(&letter());
    let text = String::from_utf8(mail.bytes).unwrap().replace("\r\n", "\n");
    let body = text.split_once("\n\n").unwrap().1;
    expect![[r#"
        --=_c2163414b2355790
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        2 notices: 1 warning, 1 note

        - function:ship is silent: 45 =E2=86=92 0 calls in a quarter of an hour
          warning =C2=B7 since 2026-11-22 14:02 UTC =C2=B7 production
          https://t.example/incidents/12

        - function:pay is slower: p99 100 ms =E2=86=92 147 ms
          ended 2026-11-22 17:07 UTC, after 3 h 5 min =C2=B7 production

        --=20
        Why you got this: the route "all" sends warnings and worse here.
        Change what you get: https://t.example/notifications
        No more of these mails: https://t.example/api/v1/notifications/unsubscribe?=
        receiver=3Dmail&address=3Dops%40example.com&k=3Da5b314fc2e20e96a1c61556e02d=
        71006ce64d35388c1109cc60badd2e64286ac

        --=_c2163414b2355790
        Content-Type: text/html; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        <!doctype html><html lang=3D"en"><head><meta charset=3D"utf-8"><meta name=
        =3D"color-scheme" content=3D"light dark"></head><body style=3D"font:16px/1.=
        5 system-ui,sans-serif;max-width:40em"><h1 style=3D"font-size:20px;border-l=
        eft:4px solid #57606a;padding-left:12px">2 notices: 1 warning, 1 note</h1><=
        ul><li><a href=3D"https://t.example/incidents/12">function:ship is silent: =
        45 =E2=86=92 0 calls in a quarter of an hour</a><br>warning =C2=B7 since 20=
        26-11-22 14:02 UTC =C2=B7 production</li><li>function:pay is slower: p99 10=
        0 ms =E2=86=92 147 ms<br>ended 2026-11-22 17:07 UTC, after 3 h 5 min =C2=B7=
         production</li></ul><hr><p style=3D"font-size:14px">Why you got this: the =
        route &quot;all&quot; sends warnings and worse here.<br><a href=3D"https://=
        t.example/notifications">Change what you get</a> =C2=B7 <a href=3D"https://=
        t.example/api/v1/notifications/unsubscribe?receiver=3Dmail&amp;address=3Dop=
        s%40example.com&amp;k=3Da5b314fc2e20e96a1c61556e02d71006ce64d35388c1109cc60=
        badd2e64286ac">No more of these mails</a></p></body></html>

        --=_c2163414b2355790--
    "#]]
    .assert_eq(body);
}
