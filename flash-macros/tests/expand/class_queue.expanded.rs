static GPU: Endpoint = Endpoint::queue("gpu");
/// Turns texts into vectors.
impl Embedder {
    /// Loads the model.
    pub async fn load(
        model: String,
        batch: usize,
        weights: State<Weights>,
    ) -> Result<Self, LoadError> {
        read(model, batch, &weights)
    }
    /// One text.
    pub async fn embed(&self, text: String) -> Result<Vec<f32>, EmbedError> {
        tokenize::remote(text).await?;
        self.run(text)
    }
    pub fn embed_all(
        &self,
        texts: Vec<String>,
        context: Context,
    ) -> Result<Vec<Vec<f32>>, EmbedError> {
        texts.iter().map(|text| self.run(text)).collect()
    }
    async fn close(&self) {
        self.run("bye");
    }
    fn run(&self, text: &str) -> Vec<f32> {
        body
    }
}
/// Remote client of [`Embedder`].
#[allow(unreachable_pub)]
#[derive(::core::fmt::Debug, ::core::clone::Clone)]
pub struct EmbedderClient {
    init: ::flash::__private::InitArgs,
}
#[allow(deprecated)]
const _: () = {
    use ::flash::__private as __flash;
    const __RESOURCE: &__flash::Endpoint = &GPU;
    const _: () = __flash::check_queue(__RESOURCE);
    const _: () = {
        const __SLOTS: (__flash::Slot<String>, __flash::Slot<usize>) = (
            __flash::slot("model", "String", &__flash::Json),
            __flash::slot("batch", "usize", &__flash::Json).defaulted(),
        );
        const __INJECTED: (__flash::Injected<State<Weights>>,) = (
            __flash::injected(&__flash::Injector),
        );
        const __CONSTRUCTOR: &dyn __flash::Constructs<
            Result<Embedder, LoadError>,
            Embedder,
        > = &__flash::Constructor;
        #[automatically_derived]
        impl __flash::Class for Embedder {
            const META: &'static __flash::ClassMeta = &__flash::ClassMeta::new(
                    "Embedder",
                )
                .params(&[__SLOTS.0.param(), __SLOTS.1.param()])
                .schemas(__flash::schemas!([String, usize]));
            type Args = (String, usize);
            fn decode(
                fields: &mut __flash::Fields<'_>,
            ) -> ::core::option::Option<Self::Args> {
                let __a0 = __SLOTS.0.take(fields);
                let __a1 = __SLOTS.1.take_or(fields, || 8);
                ::core::option::Option::Some((__a0?, __a1?))
            }
            fn encode(args: &Self::Args, fields: &mut __flash::FieldWriter) {
                let (__a0, __a1) = args;
                __SLOTS.0.put(fields, __a0);
                __SLOTS.1.put(fields, __a1);
            }
            async fn init(
                args: Self::Args,
                scope: __flash::Scope,
            ) -> ::core::result::Result<Self, __flash::Error> {
                let (__a0, __a1) = args;
                let __i0 = __INJECTED.0.get(&scope).await?;
                __CONSTRUCTOR.instance(<Embedder>::load(__a0, __a1, __i0).await)
            }
            async fn exit(instance: ::std::sync::Arc<Self>) {
                __flash::exited::<Self>(<Embedder>::close(&instance).await);
            }
        }
        #[automatically_derived]
        impl __flash::Callee for Embedder {
            const META: &'static __flash::Meta = <__Embedder_embed as __flash::Remote>::META;
        }
    };
    impl Embedder {
        /// The workers of [`Embedder`] where they are deployed, or in this process.
        #[allow(dead_code, unreachable_pub, clippy::too_many_arguments)]
        #[must_use]
        pub fn remote(model: String, batch: usize) -> EmbedderClient {
            EmbedderClient {
                init: __flash::InitArgs::of::<Embedder>(&(model, batch)),
            }
        }
    }
    #[allow(
        non_camel_case_types,
        unreachable_pub,
        missing_docs,
        missing_debug_implementations
    )]
    pub struct __Embedder_embed {}
    const _: () = {
        const __SLOTS: (__flash::Slot<String>, __flash::Slot<__flash::InitArgs>) = (
            __flash::slot("text", "String", &__flash::Json),
            __flash::init_slot::<Embedder>(),
        );
        const __INSTANCES: __flash::Instances<Embedder> = __flash::Instances::by_arguments();
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl __flash::Remote for __Embedder_embed {
            const META: &'static __flash::Meta = &__flash::Meta::new(
                    "Embedder-embed",
                    __RESOURCE,
                    "GPU",
                )
                .at(
                    ::core::module_path!(),
                    ::core::file!(),
                    ::core::line!(),
                    ::core::column!(),
                )
                .is_async(true)
                .returns(&__flash::Returned(Self::RETURNS))
                .ident("Embedder")
                .method_of(<Embedder as __flash::Class>::META, "embed")
                .params(&[__SLOTS.0.param(), __SLOTS.1.param()])
                .needs(&[&__INSTANCES])
                .schemas(
                    __flash::schemas!(
                        [String, __flash::InitArgs] Result < Vec < f32 >, EmbedError >
                    ),
                )
                .calls_seen(&["tokenize"])
                .doc("One text.");
            const RETURNS: &'static dyn __flash::Returns<Self::Return> = &__flash::Answer;
            type Door = __flash::Queue;
            type Args = (String, __flash::InitArgs);
            type Return = Result<Vec<f32>, EmbedError>;
            fn decode(
                fields: &mut __flash::Fields<'_>,
            ) -> ::core::option::Option<Self::Args> {
                let __a0 = __SLOTS.0.take(fields);
                let __a1 = __SLOTS.1.take(fields);
                ::core::option::Option::Some((__a0?, __a1?))
            }
            fn encode(args: &Self::Args, fields: &mut __flash::FieldWriter) {
                let (__a0, __a1) = args;
                __SLOTS.0.put(fields, __a0);
                __SLOTS.1.put(fields, __a1);
            }
            fn invoke(
                args: Self::Args,
                scope: __flash::Scope,
                form: __flash::ReplyForm,
            ) -> __flash::Invocation {
                ::std::boxed::Box::pin(async move {
                    let (__a0, __a1) = args;
                    let instance = __a1.instance::<Embedder>(&scope).await?;
                    __flash::Returns::encode(
                        Self::RETURNS,
                        <Embedder>::embed(&instance, __a0).await,
                        form,
                    )
                })
            }
        }
        __flash::register!(__Embedder_embed);
    };
    impl EmbedderClient {
        /// Calls [`Embedder::embed()`](Embedder::embed).
        #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
        pub fn embed(&self, text: String) -> __flash::Call<__Embedder_embed> {
            __flash::Call::new((text, ::core::clone::Clone::clone(&self.init)))
        }
    }
    #[allow(
        non_camel_case_types,
        unreachable_pub,
        missing_docs,
        missing_debug_implementations
    )]
    pub struct __Embedder_embed_all {}
    const _: () = {
        const __SLOTS: (__flash::Slot<Vec<String>>, __flash::Slot<__flash::InitArgs>) = (
            __flash::slot("texts", "Vec<String>", &__flash::Json),
            __flash::init_slot::<Embedder>(),
        );
        const __INJECTED: (__flash::Injected<Context>,) = (
            __flash::injected(&__flash::Injector),
        );
        const __INSTANCES: __flash::Instances<Embedder> = __flash::Instances::by_arguments();
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl __flash::Remote for __Embedder_embed_all {
            const META: &'static __flash::Meta = &__flash::Meta::new(
                    "Embedder-embed-all",
                    __RESOURCE,
                    "GPU",
                )
                .at(
                    ::core::module_path!(),
                    ::core::file!(),
                    ::core::line!(),
                    ::core::column!(),
                )
                .is_async(false)
                .returns(&__flash::Returned(Self::RETURNS))
                .ident("Embedder")
                .method_of(<Embedder as __flash::Class>::META, "embed-all")
                .params(&[__SLOTS.0.param(), __SLOTS.1.param()])
                .needs(&[&__INSTANCES, &__INJECTED.0])
                .schemas(
                    __flash::schemas!(
                        [Vec < String >, __flash::InitArgs] Result < Vec < Vec < f32 > >,
                        EmbedError >
                    ),
                );
            const RETURNS: &'static dyn __flash::Returns<Self::Return> = &__flash::Answer;
            type Door = __flash::Queue;
            type Args = (Vec<String>, __flash::InitArgs);
            type Return = Result<Vec<Vec<f32>>, EmbedError>;
            fn decode(
                fields: &mut __flash::Fields<'_>,
            ) -> ::core::option::Option<Self::Args> {
                let __a0 = __SLOTS.0.take(fields);
                let __a1 = __SLOTS.1.take(fields);
                ::core::option::Option::Some((__a0?, __a1?))
            }
            fn encode(args: &Self::Args, fields: &mut __flash::FieldWriter) {
                let (__a0, __a1) = args;
                __SLOTS.0.put(fields, __a0);
                __SLOTS.1.put(fields, __a1);
            }
            fn invoke(
                args: Self::Args,
                scope: __flash::Scope,
                form: __flash::ReplyForm,
            ) -> __flash::Invocation {
                ::std::boxed::Box::pin(async move {
                    let (__a0, __a1) = args;
                    let __i0 = __INJECTED.0.get(&scope).await?;
                    let instance = __a1.instance::<Embedder>(&scope).await?;
                    __flash::Returns::encode(
                        Self::RETURNS,
                        <Embedder>::embed_all(&instance, __a0, __i0),
                        form,
                    )
                })
            }
        }
        __flash::register!(__Embedder_embed_all);
    };
    impl EmbedderClient {
        /// Calls [`Embedder::embed_all()`](Embedder::embed_all).
        #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
        pub fn embed_all(
            &self,
            texts: Vec<String>,
        ) -> __flash::Call<__Embedder_embed_all> {
            __flash::Call::new((texts, ::core::clone::Clone::clone(&self.init)))
        }
    }
};
